import { createHash, randomFillSync } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'

const sliceBytes = 256 * 1024

/** What a test does with large messages, in slices of less than a ms: else it, and not what it measures, would hold up the loop. */
async function eachSlice(bytes: Uint8Array, work: (slice: Uint8Array) => void): Promise<void> {
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    work(bytes.subarray(at, at + sliceBytes))
    await setImmediate()
  }
}

export async function randomMessage(length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  await eachSlice(bytes, randomFillSync)
  return bytes
}

export async function hashOf(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  await eachSlice(bytes, (slice) => hash.update(slice))
  return hash.digest('hex')
}
