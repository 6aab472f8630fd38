import { isOneChunk } from '../content/chunker.ts'

/** Paths of small files by what they hold. Few bytes of a root are remembered: whoever asks compares the rest. */
export class WholeFiles {
  readonly #pathsByKey = new Map<number, string | string[]>()

  /** A file of several chunks, and an empty one, are nobody's chunk. */
  add(path: string, { root, size }: { readonly root: Uint8Array; readonly size: number }): void {
    if (size === 0 || !isOneChunk(size)) return
    const key = keyOf(root)
    const known = this.#pathsByKey.get(key)
    if (known === undefined) this.#pathsByKey.set(key, path)
    else if (typeof known === 'string') this.#pathsByKey.set(key, [known, path])
    else known.push(path)
  }

  remove(path: string, root: Uint8Array): void {
    const key = keyOf(root)
    const known = this.#pathsByKey.get(key)
    if (known === path) this.#pathsByKey.delete(key)
    if (known === undefined || typeof known === 'string') return
    const index = known.indexOf(path)
    if (index >= 0) known.splice(index, 1)
    if (known.length === 0) this.#pathsByKey.delete(key)
  }

  /** Of all that may hold it. */
  paths(root: Uint8Array): readonly string[] {
    const known = this.#pathsByKey.get(keyOf(root)) ?? []
    return typeof known === 'string' ? [known] : known
  }
}

/** 30 bits: a number of that size takes no memory of its own. */
function keyOf(root: Uint8Array): number {
  const [first = 0, second = 0, third = 0, fourth = 0] = root
  return (first << 22) | (second << 14) | (third << 6) | (fourth >> 2)
}
