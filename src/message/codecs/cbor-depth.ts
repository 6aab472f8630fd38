import { depthMax } from '../codec.ts'

const majors = { bytes: 2, text: 3, list: 4, map: 5, tag: 6, other: 7 } as const
/** Instead of a length: until a break. */
const indefinite = 31

/** What is still to come in each list and map that is open, by its level; a map counts for two. */
const left: number[] = Array.from({ length: depthMax + 1 }, () => 0)

/** Whether `bytes` nest more than `levelsMax` lists and maps, up to `depthMax`. What is no CBOR is left to who reads it. */
export function isDeep(bytes: Uint8Array, levelsMax: number = depthMax): boolean {
  // Each level takes a byte.
  if (bytes.length <= levelsMax) return false
  const { length: end } = bytes
  let level = 0
  let rest = 1
  let at = 0
  while (at < end) {
    const first = bytes[at] as number
    const major = first >> 5
    const info = first & 31
    at += 1
    let length = info
    if (info >= 24) {
      if (info === indefinite) length = Infinity
      else {
        const size = info > 27 ? 0 : 1 << (info - 24)
        length = 0
        for (let index = 0; index < size; index += 1) length = length * 256 + (bytes[at + index] ?? 0)
        at += size
      }
    }
    if (major >= majors.bytes) {
      if (major === majors.tag) continue
      if (major === majors.list || major === majors.map) {
        if (level === levelsMax) return true
        if (length > 0) {
          left[level] = rest
          level += 1
          rest = major === majors.map ? 2 * length : length
          continue
        }
      } else if (major !== majors.other) at += length
      // A break: the end of the level.
      else if (length === Infinity) rest = 1
    }
    rest -= 1
    while (rest === 0) {
      if (level === 0) return false
      level -= 1
      rest = (left[level] as number) - 1
    }
  }
  return false
}
