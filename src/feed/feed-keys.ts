import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Identity } from '../identity/identity.ts'
import { createSeed, identityFromSeed, seedBytes } from '../identity/seed.ts'
import type { Disk } from '../runtime/disk.ts'
import { readSmallFile, replaceSmallFile } from '../store/small-file.ts'

/** Below the store's folder. */
const folder = 'keys'
const suffix = '.key'
const title = 'plait feed key 1'

/** The keys of feeds that are written here, one file for each, readable by their owner alone. */
export class FeedKeys {
  readonly #disk: Disk
  readonly #files: Set<string>
  #folder: Promise<void> | undefined

  private constructor(disk: Disk, files: readonly string[]) {
    this.#disk = disk
    this.#files = new Set(files)
  }

  /** Looks which keys are here. */
  static async open(disk: Disk): Promise<FeedKeys> {
    return new FeedKeys(disk, await disk.list(folder).catch(() => []))
  }

  /** A new key, which is durable when this resolves. */
  async create(): Promise<Identity> {
    const seed = createSeed()
    const identity = identityFromSeed(seed)
    const text = new TextEncoder().encode(`${title}\n${encodeBase32(seed)}\n`)
    this.#folder ??= this.#makeFolder()
    await this.#folder
    await replaceSmallFile(this.#disk, folder, fileOf(identity.publicKey), [text])
    this.#files.add(fileOf(identity.publicKey))
    return identity
  }

  /** The key of a feed; undefined when it is not here. Rejects with `KEY_FILE` for a file that holds none, or another one. */
  async find(name: Uint8Array): Promise<Identity | undefined> {
    if (!this.has(name)) return undefined
    const path = `${folder}/${fileOf(name)}`
    const bytes = await readSmallFile(this.#disk, path)
    if (bytes === undefined) return undefined
    const [first, second] = new TextDecoder().decode(bytes.subarray(0, 256)).split('\n')
    const seed = first === title ? decodeBase32(second ?? '') : undefined
    const identity = seed?.length === seedBytes ? identityFromSeed(seed) : undefined
    if (identity === undefined || !identity.publicKey.every((byte, index) => byte === name[index])) {
      throw new PlaitError(
        'KEY_FILE',
        `${path} in the store does not hold the key of its feed; restore it from a copy`,
        {
          facts: { path },
        },
      )
    }
    return identity
  }

  async #makeFolder(): Promise<void> {
    await this.#disk.makeDirectory(folder)
    await this.#disk.syncDirectory('')
  }

  has(name: Uint8Array): boolean {
    return this.#files.has(fileOf(name))
  }

  async remove(name: Uint8Array): Promise<void> {
    if (this.#files.delete(fileOf(name))) await this.#disk.remove(`${folder}/${fileOf(name)}`)
  }
}

function fileOf(name: Uint8Array): string {
  return `${encodeBase32(name)}${suffix}`
}
