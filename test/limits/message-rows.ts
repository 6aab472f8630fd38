import { gzipSync } from 'node:zlib'
import type { ErrorCode, PlaitError } from '../../src/base/error.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { bytes } from '../../src/message/codecs/bytes.ts'
import { defineMessage } from '../../src/message/define-message.ts'
import { encodings, kinds, packHeader, unpackHeader } from '../../src/message/frame.ts'
import { messenger } from '../../src/message/messenger.ts'
import { joinCircuits } from '../../src/testing/joined-circuits.ts'
import { decodeError } from '../../src/wire/error.ts'
import { capping } from './row.ts'
import type { Outcome, Row } from './row.ts'

const Message = defineMessage({ id: 4_096, name: 'message', request: bytes() })
const none = new Uint8Array(0)
const forever = new Promise<never>(() => {})

/** Somebody asks `amount` questions that nobody answers; what became of the last one. */
async function asks(amount: number, limits: Partial<Limits>): Promise<Outcome> {
  const joined = joinCircuits({ limits })
  const { requestsInFlight } = { ...defaultLimits, ...limits }
  const messages = messenger(joined.far)
  messages.handle(Message, () => forever)
  let code: ErrorCode | undefined
  joined.near.receive(({ part, payload }) => {
    if (unpackHeader(part).number === amount) code = decodeError(payload).code
  })
  for (let number = 1; number <= amount; number += 1) {
    joined.near.send({ op: Message.id, part: packHeader(kinds.request, true, number, 0) })
    if (number % 4_096 === 0) await joined.run(5)
  }
  await joined.run(20)
  if (joined.far.state !== 'open') throw new Error(`the circuit is ${joined.far.state}`)
  if (messages.live !== Math.min(amount, requestsInFlight)) throw new Error(`${messages.live} are live`)
  return code === undefined ? { closed: 'nothing' } : { closed: 'nothing', code }
}

/** `amount` requests wait to be sent; what became of the last one. */
async function waits(amount: number, limits: Partial<Limits>): Promise<Outcome> {
  const joined = joinCircuits({ limits })
  const near = messenger(joined.near)
  const far = messenger(joined.far, { maxInFlight: 1 })
  far.handle(Message, () => forever)
  await joined.run(5)
  let code: ErrorCode | undefined
  for (let index = 0; index <= amount; index += 1)
    near.request(Message, none).catch((error: PlaitError) => (code ??= error.code))
  await joined.run(5)
  return code === undefined ? { closed: 'nothing' } : { closed: 'nothing', code }
}

/** `amount` posts whose handlers take their time; how many run at once. All are handled in the end. */
async function posts(amount: number, limits: Partial<Limits>): Promise<Outcome> {
  const joined = joinCircuits({ limits })
  const [near, far] = [messenger(joined.near), messenger(joined.far)]
  const waiting: (() => void)[] = []
  let handled = 0
  far.handle(Message, async (message) => {
    handled += 1
    await new Promise<void>((resolve) => waiting.push(resolve))
    return message
  })
  for (let index = 0; index < amount; index += 1) near.post(Message, none)
  await joined.run(100)
  const kept = waiting.length
  for (let rounds = 0; handled < amount && rounds < amount; rounds += 1) {
    for (const resolve of waiting.splice(0)) resolve()
    await joined.run(5)
    if (waiting.length > kept) throw new Error(`${waiting.length} handlers run at once`)
  }
  if (handled !== amount) throw new Error(`${amount - handled} posts are lost`)
  return { closed: joined.far.state === 'open' ? 'nothing' : 'circuit', kept }
}

/** A packed message that becomes `amount` bytes, and a plain one behind it. */
async function inflates(amount: number): Promise<Outcome> {
  const joined = joinCircuits()
  const messages = messenger(joined.far, { accept: ['gzip'] })
  let taken = 0
  messages.handle(Message, (message) => {
    taken = message.length
    return none
  })
  const errors: ErrorCode[] = []
  joined.near.receive(({ part, payload }) => {
    if (unpackHeader(part).kind === kinds.reset) errors.push(decodeError(payload).code)
  })
  const payload = gzipSync(new Uint8Array(amount))
  joined.near.send({ op: Message.id, part: packHeader(kinds.request, true, 1, 0, encodings.gzip), payload })
  await joined.run(20)
  if (errors.length === 0 && taken !== amount) throw new Error(`${taken} bytes have come`)
  joined.near.send({ op: Message.id, part: packHeader(kinds.request, true, 2, 0), payload: Uint8Array.of(1) })
  await joined.run(20)
  if (taken !== 1) throw new Error('the next message has not come')
  return errors[0] === undefined ? { closed: 'nothing' } : { closed: 'nothing', code: errors[0] }
}

/** Messages: how many at once, and what they may become. */
export const messageRows: readonly Row[] = [
  {
    limit: 'requestsInFlight',
    limits: { requestsInFlight: 1_024 },
    attempt: asks,
    within: () => ({ closed: 'nothing' }),
    beyond: () => ({ closed: 'nothing', code: 'BUSY' }),
  },
  {
    limit: 'requestsWaiting',
    limits: { requestsWaiting: 256 },
    attempt: waits,
    within: () => ({ closed: 'nothing' }),
    beyond: () => ({ closed: 'nothing', code: 'BUFFER_FULL' }),
  },
  { limit: 'postsAtOnce', limits: { postsAtOnce: 256 }, attempt: posts, ...capping },
  {
    limit: 'inflatedBytes',
    attempt: inflates,
    within: () => ({ closed: 'nothing' }),
    beyond: () => ({ closed: 'nothing', code: 'LIMIT' }),
  },
]
