/** What can happen in a world, with the number that stands for it in the trace. */
export const traceKinds = {
  start: 1,
  crash: 2,
  listen: 3,
  dial: 4,
  dialled: 5,
  accepted: 6,
  write: 7,
  data: 8,
  finish: 9,
  abort: 10,
  end: 11,
  fail: 12,
  fault: 13,
  note: 14,
} as const

export type TraceKind = keyof typeof traceKinds

const float = new Float64Array(1)
const floatWords = new Uint32Array(float.buffer)
const text = new TextEncoder()

/**
 * A running 64-bit hash over everything that happens in a world, in order: time, node, event, and bytes. Two lanes of multiply and
 * rotate as in MurmurHash3, with different constants. For comparing runs; it withstands chance, not malice.
 */
export class Trace {
  #low = 0x243f6a88
  #high = 0x85a308d3
  #events = 0
  readonly #print: ((line: string) => void) | undefined

  /** `print` is given a line for each event, to compare two runs by eye. */
  constructor(print?: (line: string) => void) {
    this.#print = print
  }

  get events(): number {
    return this.#events
  }

  /** Adds an event at node number `node`; `link` is the number of the link that it is about. */
  record(timeMs: number, node: number, kind: TraceKind, link: number): void {
    this.#events += 1
    float[0] = timeMs
    this.#mix(floatWords[0]!)
    this.#mix(floatWords[1]!)
    this.#mix((node << 8) | traceKinds[kind])
    this.#mix(link)
    this.#print?.(`${timeMs.toFixed(3)} ms, node ${node}, ${kind}, link ${link}, ${this.digest()}`)
  }

  /** Adds the bytes of the last event. Returns a number that depends on the bytes alone. */
  bytes(bytes: Uint8Array): number {
    const sum = checksum(bytes)
    this.#mix(bytes.length)
    this.#mix(sum)
    this.#mix(secondSum)
    return sum
  }

  /** Adds a text to the last event. */
  text(value: string): void {
    this.bytes(text.encode(value))
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return hex(finalize(this.#low ^ this.#events)) + hex(finalize(this.#high ^ this.#low))
  }

  #mix(word: number): void {
    const low = Math.imul(this.#low ^ Math.imul(word, 0xcc9e2d51), 0x9e3779b1)
    this.#low = ((low << 13) | (low >>> 19)) + 0x6b64
    const high = Math.imul(this.#high + Math.imul(word ^ 0x5bd1e995, 0x85ebca77), 0xc2b2ae3d)
    this.#high = (high << 17) | (high >>> 15)
  }
}

/** The second lane of the last `checksum`. */
let secondSum = 0

/** Where bytes are put that do not lie on a word's boundary. */
const aligned = new Uint8Array(64 * 1024)
const alignedWords = new Uint32Array(aligned.buffer)

/** Up to here a loop is faster than a call into the engine; most writes are this short. */
const loopBytes = 64

/** A number for the contents of `bytes`: each of four lanes takes every fourth word, so that none waits for another's product. */
export function checksum(bytes: Uint8Array): number {
  let first = 0x165667b1 ^ bytes.length
  let second = 0x27d4eb2f
  let third = 0x61c88647
  let fourth = 0x3c6ef372
  for (let start = 0; start < bytes.length; start += aligned.length) {
    const length = Math.min(aligned.length, bytes.length - start)
    const count = ((length + 15) >>> 4) * 4
    for (let index = length >>> 2; index < count; index += 1) alignedWords[index] = 0
    if (length <= loopBytes) for (let index = 0; index < length; index += 1) aligned[index] = bytes[start + index]!
    else aligned.set(start === 0 && length === bytes.length ? bytes : bytes.subarray(start, start + length))
    for (let index = 0; index < count; index += 4) {
      first = Math.imul(first ^ alignedWords[index]!, 0x9e3779b1)
      second = Math.imul(second ^ alignedWords[index + 1]!, 0x85ebca77)
      third = Math.imul(third ^ alignedWords[index + 2]!, 0xc2b2ae3d)
      fourth = Math.imul(fourth ^ alignedWords[index + 3]!, 0x27d4eb2f)
      first ^= first >>> 15
      second ^= second >>> 13
      third ^= third >>> 14
      fourth ^= fourth >>> 12
    }
  }
  const low = Math.imul(first, 0x9e3779b1) ^ third
  const high = Math.imul(second, 0x85ebca77) ^ fourth
  secondSum = finalize(high ^ low)
  return finalize(low ^ secondSum)
}

function finalize(word: number): number {
  let mixed = word
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
