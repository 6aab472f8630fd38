import { setTimeout as sleep } from 'node:timers/promises'
import { encodeOpen, openKinds } from '../../src/circuit/open.ts'
import { encodeError } from '../../src/wire/error.ts'
import { PlaitError } from '../../src/base/error.ts'
import { writeVarint, varintLength } from '../../src/base/varint.ts'
import { frameTypes } from '../../src/wire/frame.ts'
import { frame, uint64 } from './stranger.ts'
import type { Stranger } from './stranger.ts'

/** What somebody does to a node over one connection that is ready: as much as `count` says, or until the node has ended it. */
export type Attack = (stranger: Stranger, count: number) => Promise<void>

const { OPEN, RESET, DATA, FIRST, MORE, PING, PONG, ACK, CREDIT } = frameTypes

/** Scripts of what an honest node never does, by name. */
export const attacks: Readonly<Record<string, Attack>> = {
  /** Opens circuits and resets them at once, before anybody has taken them. */
  resets: (stranger, count) =>
    repeat(stranger, count, (index) => {
      const circuit = stranger.firstCircuit + 2 * index
      return [open(circuit, 'untaken'), frame(RESET, circuit, encodeError(new PlaitError('ABORTED', 'no')))]
    }),

  /** The same with circuits that are taken at once. */
  churn: (stranger, count) =>
    repeat(stranger, count, (index) => {
      const circuit = stranger.firstCircuit + 2 * index
      return [open(circuit, 'echo'), frame(RESET, circuit, encodeError(new PlaitError('ABORTED', 'no')))]
    }),

  /** Asks for what does not exist, and acknowledges none of the answers. */
  unknown: (stranger, count) => repeat(stranger, count, (index) => [open(stranger.firstCircuit + 2 * index, 'nobody')]),

  /** The same without reading a byte of them. */
  async deaf(stranger, count) {
    stranger.socket.pause()
    await attacks['unknown']!(stranger, count)
    stranger.socket.resume()
  },

  /** Says at once what ends it, never reads that, and never closes. */
  async stuck(stranger) {
    stranger.socket.pause()
    await repeat(stranger, 20, (index) => [frame(PING, 0, uint64(index))])
    await sleep(10_000)
  },

  /** Pings without end, and never reads. */
  async pings(stranger, count) {
    stranger.socket.pause()
    await repeat(stranger, count, (index) => [frame(PING, 0, uint64(index))])
    stranger.socket.resume()
  },

  /** A large fragment in pieces of one byte, which never ends. */
  pieces(stranger, count) {
    const circuit = stranger.firstCircuit
    stranger.send(open(circuit, 'unread'), first(circuit, 16 * 1024 * 1024))
    const piece = frame(MORE, circuit, Uint8Array.of(1))
    return repeat(stranger, count, () => [piece])
  },

  /** Empty pieces, and other frames that say nothing. */
  async idle(stranger, count) {
    const circuit = stranger.firstCircuit
    stranger.send(open(circuit, 'unread'))
    const frames = [frame(CREDIT, circuit, uint64(0)), frame(ACK, 0, uint64(0)), frame(PONG, 0, uint64(7))]
    await repeat(stranger, count, (index) => [frames[index % 3]!])
  },

  /** Fills the window of circuit after circuit with what nobody reads, and announces a large fragment in each. */
  async hoard(stranger, count) {
    const data = new Uint8Array(7 * 1024)
    await repeat(stranger, count, (index) => {
      const circuit = stranger.firstCircuit + 2 * index
      return [open(circuit, 'unread'), frame(DATA, circuit, data), first(circuit, 16 * 1024 * 1024)]
    })
    await Promise.race([stranger.closed, sleep(5_000)])
  },

  /** Frames with random types, numbers, lengths and contents. */
  async noise(stranger) {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    stranger.send(bytes)
    await stranger.drained()
  },
}

function open(circuit: number, service: string): Uint8Array {
  const request = { service, peerId: '', version: 0, sourceService: 'x', sourcePeerId: '' }
  const body = encodeOpen({ kind: openKinds.circuit, ...request })
  return frame(OPEN, circuit, Uint8Array.of(...uint64(256 * 1024), ...body))
}

/** The announcement of a fragment of so many bytes. */
function first(circuit: number, totalBytes: number): Uint8Array {
  const body = new Uint8Array(varintLength(totalBytes))
  writeVarint(body, 0, totalBytes)
  return frame(FIRST, circuit, body)
}

/** Sends as fast as the node takes it; ends early with the connection. */
async function repeat(
  stranger: Stranger,
  count: number,
  frames: (index: number) => readonly Uint8Array[],
): Promise<void> {
  const chunkBytes = 64 * 1024
  let parts: Uint8Array[] = []
  let bytes = 0
  for (let index = 0; index < count && !stranger.over; index += 1) {
    for (const one of frames(index)) {
      parts.push(one)
      bytes += one.length
    }
    if (bytes < chunkBytes) continue
    if (!stranger.send(Buffer.concat(parts))) await stranger.drained()
    // The answers of the node want to be seen.
    await new Promise((resolve) => setImmediate(resolve))
    parts = []
    bytes = 0
  }
  stranger.send(Buffer.concat(parts))
  await stranger.drained()
}
