import type { ErrorCode, PlaitError } from '../../src/base/error.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { encodeFacts } from '../../src/wire/facts.ts'
import type { FragmentFields } from '../../src/wire/fragment.ts'
import { frameTypes } from '../../src/wire/frame.ts'
import { concat, MiB, rawFragment, text, varint } from './bytes.ts'
import { Hostile } from './hostile.ts'
import { capping, closing } from './row.ts'
import type { Outcome, Row } from './row.ts'

/** What comes of a fragment from a remote that keeps to no limit. */
function receives(fragment: Uint8Array, limits: Partial<Limits> = {}): Outcome {
  const hostile = new Hostile(limits)
  const number = hostile.open()
  hostile.fragment(number, fragment)
  const { inbound, errors } = hostile.circuit(number)
  const outcome = hostile.outcome(number)
  const whole = inbound.unreadFragments + errors.unread
  if (whole !== (outcome.closed === 'nothing' ? 1 : 0)) throw new Error(`${whole} fragments came`)
  return outcome
}

/** What the application here is told that wants to send it: nothing at all leaves when it is too much. */
function sends(fields: FragmentFields, limits: Partial<Limits> = {}): ErrorCode | undefined {
  const hostile = new Hostile(limits)
  const circuit = hostile.opened(64 * MiB)
  try {
    circuit.send(fields)
  } catch (error) {
    if (circuit.bufferedBytes > 0 || circuit.state !== 'open') throw new Error('something was taken', { cause: error })
    return (error as PlaitError).code
  }
  return undefined
}

/** Two rows for one limit: what the other side sends, and what is sent from here. */
function bothWays(
  limit: keyof Limits,
  limits: Partial<Limits>,
  fieldsOf: (amount: number) => FragmentFields,
): readonly Row[] {
  return [
    {
      limit,
      what: 'received',
      limits,
      attempt: (amount) => receives(rawFragment(fieldsOf(amount)), limits),
      ...closing('circuit', 'LIMIT'),
    },
    {
      limit,
      what: 'sent',
      limits,
      attempt: (amount) => {
        const code = sends(fieldsOf(amount), limits)
        return code === undefined ? { closed: 'nothing' } : { closed: 'nothing', code }
      },
      ...closing('nothing', 'FRAGMENT_TOO_LARGE'),
    },
  ]
}

function argsOf(count: number, valueBytes: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}`, 'v'.repeat(valueBytes)]))
}

/** Args whose names and values have `amount` bytes together, each within its own limits. */
function argsOfBytes(amount: number): FragmentFields {
  const args: Record<string, string> = {}
  const nameBytes = 3
  for (let restBytes = amount, index = 100; restBytes > 0; index += 1) {
    // The last but one leaves room for the name of the last.
    const left = restBytes - 4_000
    const valueBytes = (left > 0 && left < nameBytes ? 2_000 : Math.min(4_000, restBytes)) - nameBytes
    args[`${index}`] = 'v'.repeat(valueBytes)
    restBytes -= nameBytes + valueBytes
  }
  return { args }
}

/** An error whose facts take `amount` bytes. */
function factsOfBytes(amount: number): FragmentFields {
  let length = amount
  while (encodeFacts({ why: 'x'.repeat(length) }).length > amount) length -= 1
  return { error: { code: 4_096, message: 'no', facts: { why: 'x'.repeat(length) } } }
}

/** An error fragment with a message of `amount` bytes; honest senders cut it. */
function errorOfMessage(amount: number): Uint8Array {
  return concat(Uint8Array.of(16, 0, 16), text('m'.repeat(amount)), Uint8Array.of(0))
}

/** Announces fragments of 1 MiB each, `amount` bytes in all; how much memory has been set aside for them. */
function reserves(amount: number): Outcome {
  const hostile = new Hostile()
  let last = 0
  for (let bytes = 0; bytes < amount; bytes += MiB) {
    last = hostile.open()
    hostile.send(frameTypes.FIRST, last, varint(MiB))
  }
  return { ...hostile.outcome(last), kept: hostile.session.reservations.reservedBytes }
}

/** Fragments: how large, in how many pieces, with how much around the payload. */
export const fragmentRows: readonly Row[] = [
  {
    limit: 'fragmentBytes',
    what: 'received',
    attempt: (amount) => {
      if (amount <= 2 * defaultLimits.fragmentBytes) return receives(rawFragment({ payload: new Uint8Array(amount) }))
      // Nobody has that much: it is enough to say so.
      const hostile = new Hostile()
      const number = hostile.open()
      const before = hostile.session.account.usedBytes
      hostile.send(frameTypes.FIRST, number, varint(amount))
      if (hostile.session.account.usedBytes > before) throw new Error('memory was taken for a claim')
      return hostile.outcome(number)
    },
    ...closing('circuit', 'LIMIT'),
  },
  {
    limit: 'fragmentBytes',
    what: 'received in one frame',
    limits: { fragmentBytes: 500 },
    attempt: (amount, limits) => receives(rawFragment({ payload: new Uint8Array(amount) }), limits),
    ...closing('circuit', 'LIMIT'),
  },
  {
    limit: 'fragmentBytes',
    what: 'sent',
    limits: { fragmentBytes: MiB },
    attempt: (amount, limits) => {
      const code = sends({ payload: new Uint8Array(amount) }, limits)
      return code === undefined ? { closed: 'nothing' } : { closed: 'nothing', code }
    },
    ...closing('nothing', 'FRAGMENT_TOO_LARGE'),
  },
  {
    limit: 'fragmentPieces',
    attempt: (amount) => {
      const hostile = new Hostile()
      const number = hostile.open()
      hostile.send(frameTypes.FIRST, number, concat(varint(amount), Uint8Array.of(0)))
      for (let piece = 1; piece < amount; piece += 1) hostile.send(frameTypes.MORE, number, Uint8Array.of(9))
      const outcome = hostile.outcome(number)
      const unread = hostile.circuit(number).inbound.unreadFragments
      if (unread !== (outcome.closed === 'nothing' ? 1 : 0)) throw new Error(`${unread} fragments came`)
      return outcome
    },
    ...closing('circuit', 'LIMIT'),
  },
  { limit: 'reservedBytesPerSession', attempt: reserves, ...capping },
  {
    limit: 'reassemblyTimeoutMs',
    attempt: (amount) => {
      const hostile = new Hostile()
      const number = hostile.open()
      hostile.send(frameTypes.FIRST, number, varint(MiB))
      hostile.run(amount - 1)
      return hostile.outcome(number)
    },
    ...closing('circuit', 'REASSEMBLY_TIMEOUT'),
    step: 1_000,
  },
  ...bothWays('argCount', {}, (amount) => ({ args: argsOf(amount, 1) })),
  ...bothWays('argKeyBytes', {}, (amount) => ({ args: { ['k'.repeat(amount)]: 'v' } })),
  ...bothWays('argValueBytes', {}, (amount) => ({ args: { k: 'v'.repeat(amount) } })),
  ...bothWays('argsBytes', { argCount: 1_000 }, argsOfBytes),
  ...bothWays('subjectBytes', {}, (amount) => ({ subject: 's'.repeat(amount) })),
  ...bothWays('errorFactsBytes', {}, factsOfBytes),
  {
    limit: 'errorMessageBytes',
    what: 'received',
    attempt: (amount) => receives(errorOfMessage(amount)),
    ...closing('circuit', 'LIMIT'),
  },
  {
    limit: 'errorMessageBytes',
    what: 'sent: it is cut',
    attempt: (amount) => {
      const hostile = new Hostile()
      const circuit = hostile.opened(MiB)
      circuit.send({ error: { code: 4_096, message: 'm'.repeat(amount) } })
      hostile.peer.drain()
      const frame = hostile.peer.framesOf(frameTypes.DATA).at(-1)!
      // Flags, code, two bytes of length, the message, no facts.
      return { ...hostile.outcome(circuit.id), kept: frame.body.length - 6 }
    },
    ...capping,
  },
  {
    limit: 'errorMessageBytes',
    what: 'in a RESET',
    limits: { framePayloadBytes: MiB },
    attempt: (amount, limits) => {
      const hostile = new Hostile(limits)
      const number = hostile.open()
      hostile.send(frameTypes.RESET, number, errorOfMessage(amount).subarray(1))
      const { code } = hostile.circuit(number).reason!.error!
      const outcome = hostile.outcome()
      return outcome.closed === 'nothing' ? { closed: 'circuit', code } : outcome
    },
    within: () => ({ closed: 'circuit', code: 'REMOTE' }),
    beyond: () => ({ closed: 'circuit', code: 'LIMIT' }),
  },
]
