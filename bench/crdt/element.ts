import { createHash } from 'node:crypto'

/** Element `number`, below 2^32: 16 characters, no two alike, in no order that follows from the numbers. */
export function elementOf(number: number): string {
  const first = scrambled(number)
  return hex(first) + hex(scrambled(first ^ 0x5bd1e995))
}

/** Equal for equal sets, whatever their order. */
export function fingerprintOf(elements: Iterable<string>): string {
  const hash = createHash('sha256')
  for (const element of [...elements].sort()) hash.update(element).update('\n')
  return hash.digest('hex')
}

/** Each step can be undone: different numbers stay different. */
function scrambled(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x45d9f3b)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

function hex(number: number): string {
  return number.toString(16).padStart(8, '0')
}
