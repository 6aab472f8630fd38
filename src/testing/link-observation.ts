import type { PlaitError } from '../base/error.ts'
import type { Link } from '../link/link.ts'
import type { Timers } from '../runtime/timers.ts'

/** What a link has told its handlers. */
export interface Observation {
  readonly closed: Promise<PlaitError | undefined>
  bytes(): Uint8Array
  closeCalls(): number
  callsAfterClose(): number
}

/** Attaches handlers that copy what is lent to them; `onClose` is called inside of `close`. */
export function observe(link: Link, onClose: () => void = () => {}): Observation {
  const chunks: Uint8Array[] = []
  let closeCalls = 0
  let callsAfterClose = 0
  const closed = new Promise<PlaitError | undefined>((resolve) => {
    link.attach({
      data(bytes) {
        if (closeCalls > 0) callsAfterClose += 1
        chunks.push(bytes.slice())
      },
      drain() {
        if (closeCalls > 0) callsAfterClose += 1
      },
      close(error) {
        closeCalls += 1
        onClose()
        resolve(error)
      },
    })
  })
  return { closed, bytes: () => joined(chunks), closeCalls: () => closeCalls, callsAfterClose: () => callsAfterClose }
}

/** Chunks of 0 to 40,000 bytes, mostly small, none like another. */
export function randomChunks(count: number): Uint8Array[] {
  let state = count
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
  return Array.from({ length: count }, () => {
    const length = (next() >>> 8) % ((next() >>> 8) % 8 === 0 ? 40_001 : 200)
    const chunk = new Uint8Array(length)
    for (let index = 0; index < length; index += 1) chunk[index] = next() >>> 24
    return chunk
  })
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/** What tells two runs of bytes apart; undefined when they are equal. */
export function difference(actual: Uint8Array, expected: Uint8Array): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} bytes instead of ${expected.length}`
  for (let index = 0; index < expected.length; index += 1) {
    if (actual[index] !== expected[index]) return `byte ${index} is ${actual[index]} instead of ${expected[index]}`
  }
  return undefined
}

/** Long enough for anything that is under way inside one machine. */
export function settle(timers: Timers): Promise<void> {
  return new Promise((resolve) => void timers.after(30, resolve))
}
