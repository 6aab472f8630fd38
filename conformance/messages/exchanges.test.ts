import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { messenger, type Messenger } from 'plait'
import { expect, it } from 'vitest'
import { count, withinMs } from '../counts.ts'
import { Crossings, sharedNow } from './crossing.ts'
import { left, ourPart } from './mix.ts'
import { countersOf, percentile, stage, type Counters, type Stage } from './stage.ts'
import { closings, Cross, Echo, Late, Mix, Nobody, Note, Print, Rows, Tell, Trickle } from './types.ts'

const MiB = 1024 * 1024
const fastBrotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }

/** The counters of the far end. */
async function farCounters({ far, messages }: Stage, mark: string): Promise<Counters> {
  const printed = far.line(new RegExp(`^${mark} (.+)$`))
  messages.post(Print, mark)
  return JSON.parse((await printed)[1] ?? '') as Counters
}

it('M4 what nobody handles is refused at once, a post of it counted; a default handler takes both; the session stays', async () => {
  const here = await stage()
  const { node, address, messages } = here
  let ends = 0
  node.addEventListener('sessionend', () => (ends += 1))
  await messages.request(Echo, Uint8Array.of(1))
  const total = count(1_000, 50)
  const waits: number[] = []
  for (let index = 0; index < total; index += 1) {
    const began = performance.now()
    await expect(messages.request(Nobody, 'x')).rejects.toMatchObject({ code: 'NO_HANDLER', facts: { id: Nobody.id } })
    waits.push(performance.now() - began)
    messages.post(Nobody, 'x')
  }
  expect(percentile(waits, 0.99)).toBeLessThan(withinMs(50))
  expect(await messages.request(Tell, '')).toMatchObject({ unknown: [], live: 0 })
  const { unhandled, postsReceived } = await farCounters(here, 'M4')
  expect([unhandled, postsReceived]).toEqual([2 * total, total + 1])
  const other = messenger(await node.peer('near').open(`${address}/default`))
  other.post(Nobody, 'posted')
  expect(await other.request(Nobody, 'asked')).toEqual(new TextEncoder().encode('asked'))
  expect((await other.request(Tell, '')).unknown).toEqual([`post ${Nobody.id}`, `request ${Nobody.id}`])
  expect(await messages.request(Echo, Uint8Array.of(2))).toEqual(Uint8Array.of(2))
  expect([ends, node.snapshot().sessions.length]).toEqual([0, 1])
})

it('M6 both ends close the same streams at the same moment while new ones open: none gets what is for another one', async () => {
  const here = await stage()
  const { messages, node } = here
  const total = count(10_000, 600)
  const atOnce = 50
  const ours = new Crossings('near')
  let index = 0
  let closeAt = 0
  /** Opens the next ones in the very turn in which those before are closed. */
  const open = (): void => {
    closeAt = sharedNow() + 25
    for (let opened = 0; opened < atOnce && index < total; opened += 1) {
      ours.add({ index, closeAt }, messages.stream(Cross, { index, closeAt }))
      index += 1
    }
  }
  open()
  while (index < total) {
    await sleep(Math.max(0, closeAt - sharedNow() - 3))
    ours.closeAt(closeAt)
    open()
  }
  await sleep(Math.max(0, closeAt - sharedNow() - 3))
  ours.closeAt(closeAt)
  const everyOne = { opened: total, closed: total, fired: total, astray: 0 }
  let told = await messages.request(Tell, '')
  for (const began = performance.now(); told.crossed.fired < total && performance.now() - began < 5_000;)
    told = await messages.request(Tell, '')
  expect([ours.crossed, told.crossed]).toEqual([everyOne, everyOne])
  expect([messages.live, told.live]).toEqual([0, 0])
  const theirs = await farCounters(here, 'M6')
  const { errorsReceived = 0, streamsOpened, streamsClosed } = countersOf(node)
  expect([streamsOpened, streamsClosed, theirs['streamsClosed']]).toEqual([total, total, total])
  // Of two ends that close one is told so; where the closes have crossed, both are.
  const bothClose = Math.ceil(total / closings.length)
  const closesHeard = errorsReceived + (theirs['cancelled'] ?? 0)
  const oneCloses = 2 * bothClose
  expect(closesHeard).toBeGreaterThan(bothClose + oneCloses - 4)
  expect(closesHeard - bothClose - oneCloses).toBeGreaterThan(bothClose / 10)
})

it('M9 what goes to the side that reads gzip is packed, what comes back is plain', async () => {
  const { node, messages } = await stage({}, 'packing')
  await messages.request(Tell, '')
  const before = countersOf(node)
  const text = new TextEncoder().encode('the same again and again, '.repeat(4_000))
  expect(await messages.request(Echo, text)).toEqual(text)
  const small = new Uint8Array(1_023)
  expect(await messages.request(Echo, small)).toEqual(small)
  const after = countersOf(node)
  const sent = (after['bytesSent'] ?? 0) - (before['bytesSent'] ?? 0)
  const received = (after['bytesReceived'] ?? 0) - (before['bytesReceived'] ?? 0)
  expect(received).toBe(text.length + small.length)
  expect(sent).toBeGreaterThan(small.length)
  expect(sent).toBeLessThan(small.length + text.length / 10)
})

it('M9 what is small and becomes 100 MiB is refused at the cap, in that message only', async () => {
  // Before there is a session, which would take this process for lost while it makes them.
  const huge = new Uint8Array(100 * MiB)
  const bombs = [gzipSync(huge), brotliCompressSync(huge, fastBrotli), zstdCompressSync(huge)]
  const { messages } = await stage({}, 'packing')
  const raw = await messages.circuit.open()
  // What the far end reads comes first.
  expect((await raw.read())?.op).toBe(4)
  // gzip makes no more than 1,032 bytes of one; the others say it in 10 KiB.
  expect(bombs.slice(1).map(({ length }) => length < 10 * 1024)).toEqual([true, true])
  const { memoryBytes } = await messages.request(Tell, '')
  for (const [index, payload] of bombs.entries()) {
    // Bits 16 on: the number; 5 and 6: how it is packed; 4: its initiator; 1: a request.
    const part = (index + 1) * 2 ** 16 + ((index + 1) << 5) + 0x11
    const began = performance.now()
    raw.send({ op: Echo.id, part, payload: new Uint8Array(payload) })
    const answer = await raw.read()
    expect(performance.now() - began).toBeLessThan(withinMs(200))
    // A reset, and the error begins with its number, 3: LIMIT.
    expect([(answer?.part ?? 0) & 15, ...(answer?.payload.subarray(0, 2) ?? [])]).toEqual([6, 3, 0])
    expect(new TextDecoder().decode(answer?.payload)).toContain(String(4 * MiB))
  }
  raw.send({ op: Echo.id, part: 4 * 2 ** 16 + 0x11, payload: Uint8Array.of(7) })
  expect((await raw.read())?.payload).toEqual(Uint8Array.of(7))
  const told = await messages.request(Tell, '')
  expect(told.memoryBytes - memoryBytes).toBeLessThan(64 * MiB)
})

/** What both ends must agree on, by what one end sends. */
const pairs = [
  ['postsSent', 'postsReceived'],
  ['requestsSent', 'requestsReceived'],
  ['responsesSent', 'responsesReceived'],
  ['errorsSent', 'errorsReceived'],
  ['itemsSent', 'itemsReceived'],
  ['bytesSent', 'bytesReceived'],
  ['heartbeatsSent', 'heartbeatsReceived'],
] as const

function serveMix(messages: Messenger): void {
  messages.handle(Echo, (message) => message)
  messages.handle(Note, (number) => {
    if (number < 0) throw new Error('as the mix wants it')
    return number
  })
  messages.handle(Late, async (afterMs) => {
    await sleep(afterMs)
    return afterMs
  })
  messages.handleStream(Rows, async function* (to) {
    for (let row = 0; row < to; row += 1) yield row
  })
}

it('M10 after a mix of everything from both sides the counters of both ends agree', async () => {
  const here = await stage({ accept: ['zstd'] })
  const { node, messages } = here
  serveMix(messages)
  const rounds = count(500, 10)
  await Promise.all([messages.request(Mix, ''), ourPart(messages, rounds)])
  // What was cancelled or late is still on its way for a moment.
  const agree = (): boolean => pairs.every(([sent, got]) => ours[sent] === theirs[got] && ours[got] === theirs[sent])
  let prints = 1
  let theirs = await farCounters(here, 'M10-1')
  let ours = countersOf(node)
  for (const until = performance.now() + 5_000; !agree() && performance.now() < until; await sleep(50)) {
    prints += 1
    theirs = await farCounters(here, `M10-${prints}`)
    ours = countersOf(node)
  }
  for (const [sent, received] of pairs) {
    expect([sent, ours[sent]]).toEqual([sent, theirs[received]])
    expect([received, ours[received]]).toEqual([received, theirs[sent]])
  }
  for (const side of [ours, theirs]) {
    const { streamsOpened = 0, streamsClosed = 0, streamsLive } = side
    expect([streamsOpened - streamsClosed, streamsLive]).toEqual([left.streams, left.streams])
  }
  const mixes = rounds + 5
  expect(messages.live).toBe(left.streams + left.requests)
  // Besides the mix: settings, and what has the counters printed; the request for their part.
  expect(ours).toMatchObject({
    postsSent: rounds * 22 + 1 + prints,
    postsReceived: 5 * 22,
    streamsOpened: mixes * 3 + left.streams,
    requestsSent: rounds * 24 + 1 + left.requests,
    requestsReceived: 5 * 24,
  })
  expect([ours['unhandled'], theirs['unhandled']]).toEqual([5 * 3, rounds * 3])
})

it('M11 beside a thousand streams that live at once a request is answered at once', async () => {
  const { messages } = await stage()
  const streams = 1_000
  let rows = 0
  for (let index = 0; index < streams; index += 1) messages.stream(Trickle, 100).receive(() => (rows += 1))
  while (rows < streams) await sleep(10)
  const total = count(20_000, 1_000)
  const waits: number[] = []
  const before = rows
  for (let index = 0; index < total; index += 1) {
    const message = Uint8Array.of(index, index >> 8)
    const began = performance.now()
    expect(await messages.request(Echo, message)).toEqual(message)
    waits.push(performance.now() - began)
  }
  expect(messages.live).toBe(streams)
  expect(rows).toBeGreaterThan(before)
  expect(percentile(waits, 0.99)).toBeLessThan(withinMs(20))
})
