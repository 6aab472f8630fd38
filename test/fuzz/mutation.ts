import type { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import { frameTypes, headerBytes, readBodyLength, readChannel, writeHeader } from '../../src/wire/frame.ts'

/** What a mutation may draw from. */
export interface Material {
  readonly random: SeededRandom
  /** Frames of honest ends, of every kind. */
  readonly frames: readonly Uint8Array[]
  /** Numbers of circuits that are, or were. */
  readonly numbers: readonly number[]
  /** The next one that the sender may open. */
  readonly nextNumber: number
}

/** The bytes that arrive instead of an honest frame, or between two of them. */
type Mutation = (frame: Uint8Array, material: Material) => Uint8Array

const types: readonly number[] = Object.values(frameTypes)

/** Those that belong to a circuit: what is wrong with them costs the circuit, and the attack goes on. */
const circuitTypes: readonly number[] = types.filter((type) => type >= frameTypes.OPEN)

/** What somebody writes who wants to see where it ends: on both sides of every edge, little-endian. */
const edges: readonly Uint8Array[] = [
  ...[0, 1, 2, 7, 8, 9, 15, 16, 127, 128, 255].map((value) => Uint8Array.of(value)),
  ...['ffff', '0040', '0140', '8000', 'ff7f', '8001'].map(hex),
  ...['ffffffff', 'ffffff7f', '00000080', '00000100', 'ffffffff0f'].map(hex),
  ...['ffffffffffff1f00', '0000000000002000', 'ffffffffffffffff', '0000000000000080', '0000000001000000'].map(hex),
  ...['ffffffffffffff0f', '8080808080808010', '80808080808000', '0000000000000000', '0100000000000000'].map(hex),
]

const mutations: readonly (readonly [share: number, mutation: Mutation])[] = [
  [10, (frame) => frame],
  [14, (frame, { random }) => flip(frame, random, headerBytes)],
  [1, (frame, { random }) => flip(frame, random, 0)],
  [12, edge],
  [8, shorten],
  [8, extend],
  [1, overdraw],
  [10, splice],
  [10, (frame, { random }) => retype(frame, drawType(random))],
  [12, (frame, { random, numbers }) => (numbers.length === 0 ? frame : renumber(frame, random.pick(numbers)))],
  [1, (frame, { random }) => renumber(frame, random.uint32())],
  [4, (frame, { random }) => retype(frame.subarray(0, headerBytes), drawType(random))],
  [1, misstate],
  [1, (_frame, { random }) => random.bytes(random.integer(1, 40))],
]

const choices: readonly Mutation[] = mutations.flatMap(([share, mutation]) =>
  Array.from({ length: share }, () => mutation),
)
const gentle: readonly Mutation[] = [
  (frame) => frame,
  (frame) => frame,
  (frame) => frame,
  edge,
  (frame, { random }) => flip(frame, random, headerBytes),
]

/** One mutant of an honest frame; a new array, even if nothing has changed. */
export function mutate(frame: Uint8Array, material: Material): Uint8Array {
  const { random, numbers, nextNumber } = material
  // Where another length ends the session, it is seldom another one.
  const isGentle = !isRobust(frame) && random.chance(0.93)
  let mutant = random.pick(isGentle ? gentle : choices)(frame.slice(), material)
  if (!isGentle && mutant.length >= headerBytes && random.chance(0.1)) mutant = random.pick(choices)(mutant, material)
  // Circuits that live are where most of the states are; what is for none of them ends the session.
  if (numbers.length === 0 || mutant.length < headerBytes || random.chance(0.02)) return mutant
  const type = mutant[0] as number
  if (type === frameTypes.OPEN && random.chance(0.9)) return renumber(mutant, nextNumber)
  return type >= frameTypes.OPEN || type === frameTypes.CREDIT ? renumber(mutant, random.pick(numbers)) : mutant
}

/** What is wrong in it costs a circuit at most. */
function isRobust(frame: Uint8Array): boolean {
  const type = frame[0] ?? 0
  return type > frameTypes.OPEN && type !== frameTypes.REFUSE && type !== frameTypes.RESET
}

function drawType(random: SeededRandom): number {
  if (random.chance(0.03)) return random.pick([0x00, 0x09, 0x19, 0xff])
  return random.pick(random.chance(0.97) ? circuitTypes : types)
}

/** One to three bits, from `from` on. */
function flip(frame: Uint8Array, random: SeededRandom, from: number): Uint8Array {
  if (frame.length <= from) return frame
  // Where something is said about the rest.
  const to = random.chance(0.7) ? Math.min(frame.length, from + 40) : frame.length
  for (let count = random.integer(1, 3); count > 0; count -= 1) {
    const at = random.integer(from, to - 1)
    frame[at] = (frame[at] as number) ^ (1 << random.integer(0, 7))
  }
  return frame
}

function edge(frame: Uint8Array, { random }: Material): Uint8Array {
  const value = random.pick(edges)
  const room = frame.length - headerBytes - value.length
  if (room < 0) return frame
  frame.set(value, headerBytes + (random.chance(0.5) ? 0 : random.integer(0, Math.min(room, 40))))
  return frame
}

function shorten(frame: Uint8Array, { random }: Material): Uint8Array {
  if (frame.length <= headerBytes) return frame
  return withBody(frame, frame.subarray(headerBytes, random.integer(headerBytes, frame.length - 1)))
}

function extend(frame: Uint8Array, { random }: Material): Uint8Array {
  const more = random.chance(0.1) ? random.integer(1, 9_000) : random.integer(1, 30)
  const body = new Uint8Array(frame.length - headerBytes + more)
  body.set(frame.subarray(headerBytes))
  if (random.chance(0.5)) body.fill(random.uint32(), frame.length - headerBytes)
  return withBody(frame, body)
}

/** More than any window of these tests has room for, or any frame. */
function overdraw(frame: Uint8Array, { random }: Material): Uint8Array {
  if (frame.length < headerBytes) return frame
  const type = random.pick([frameTypes.DATA, frameTypes.DATA, frameTypes.FIRST, frameTypes.MORE])
  return rawFrame(type, readChannel(frame, 0), new Uint8Array(random.chance(0.1) ? 66_000 : 40_000))
}

/** The beginning of one body, and the end of another one's. */
function splice(frame: Uint8Array, { random, frames }: Material): Uint8Array {
  const donor = random.pick(frames)
  const head = frame.subarray(headerBytes, random.integer(Math.min(headerBytes, frame.length), frame.length))
  const tail = donor.subarray(random.integer(headerBytes, donor.length))
  const body = new Uint8Array(head.length + tail.length)
  body.set(head)
  body.set(tail, head.length)
  return withBody(frame, body)
}

function retype(frame: Uint8Array, type: number): Uint8Array {
  return frame.length < headerBytes ? frame : rawFrame(type, readChannel(frame, 0), frame.subarray(headerBytes))
}

function renumber(frame: Uint8Array, number: number): Uint8Array {
  if (frame.length < headerBytes) return frame
  writeHeader(frame, 0, frame[0] as number, readBodyLength(frame, 0), number)
  return frame
}

/** A length that is not that of the body. */
function misstate(frame: Uint8Array, { random }: Material): Uint8Array {
  if (frame.length < headerBytes) return frame
  const length = random.pick([0, frame.length - headerBytes + random.integer(-9, 9), random.integer(0, 0xff_ffff)])
  writeHeader(frame, 0, frame[0] as number, Math.max(0, length), readChannel(frame, 0))
  return frame
}

function withBody(frame: Uint8Array, body: Uint8Array): Uint8Array {
  return frame.length < headerBytes ? frame : rawFrame(frame[0] as number, readChannel(frame, 0), body)
}

function hex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  )
}
