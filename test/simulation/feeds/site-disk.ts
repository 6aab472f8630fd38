import { PlaitError } from '../../../src/base/error.ts'
import type { Change, Survival } from '../../../src/runtime/simulated/disk-contents.ts'
import type { NameChange } from '../../../src/runtime/simulated/disk-directory.ts'
import { SimulatedDisk, type DiskOperation } from '../../../src/runtime/simulated/disk.ts'
import type { Process, SeededRandom, World } from '../../../src/testing/index.ts'

/** Beyond every world. */
const never = new Promise<void>(() => {})

/** The disk of one machine: it takes its time, fails, fills up, rots, loses power, and is put back from a copy. */
export class SiteDisk {
  /** What it is for now: another one after it was put back. */
  disk: SimulatedDisk
  /** Who uses it: what a dead process has begun is never done. */
  process: Process | undefined
  /** So many of the next syncs fail. */
  syncsToFail = 0
  failedSyncs = 0
  /** So long a sync of the log takes besides. */
  slowMs = 0
  /** Told when one fails. */
  onFailedSync: () => void = () => {}
  readonly #world: World
  readonly #random: SeededRandom
  /** How long a sync takes, about. */
  readonly #syncMs: number

  constructor(world: World, random: SeededRandom) {
    this.#world = world
    this.#random = random
    this.#syncMs = random.logarithmic(0.2, 12)
    this.disk = new SimulatedDisk(this.#options())
  }

  get isFull(): boolean {
    return Number.isFinite(this.disk.capacityBytes)
  }

  /** The power is cut: of what was not synced something is left, or nothing. */
  cutPower(): void {
    const random = this.#random
    const isLenient = random.chance(0.5)
    this.disk.crash((change) => (isLenient ? survival(random, change) : false))
  }

  /** What a backup of this moment holds. */
  copy(): SimulatedDisk {
    return this.disk.afterCrash(() => true)
  }

  /** Puts a copy in the place of what there is. No process may run. */
  putBack(copy: SimulatedDisk): void {
    this.disk = copy.afterCrash(() => true, this.#options())
  }

  /** The bytes of a file; undefined when there is none. */
  bytesOf(path: string): number | undefined {
    return this.disk.files().get(path)?.length
  }

  #options(): ConstructorParameters<typeof SimulatedDisk>[0] {
    return {
      delay: (operation, path) => this.#delay(operation === 'sync' && path.startsWith('log/') ? this.slowMs : 0),
      fault: (operation, path) => this.#fault(operation, path),
    }
  }

  /** Between nothing and a few syncs: most calls are answered at once, out of a cache. */
  #delay(slowMs: number): Promise<void> {
    const { process } = this
    if (process === undefined || process.scope.ended) return never
    const random = this.#random
    if (random.chance(0.5) && slowMs === 0) return Promise.resolve()
    const ms = slowMs + random.real() ** 2 * this.#syncMs
    return new Promise((resolve) => void this.#world.scheduler.at(this.#world.now + ms, resolve, process.scope))
  }

  #fault(operation: DiskOperation, path: string): PlaitError | undefined {
    if (operation !== 'sync' || this.syncsToFail === 0) return undefined
    this.syncsToFail -= 1
    this.failedSyncs += 1
    this.onFailedSync()
    return new PlaitError('FILE_FAILED', `cannot sync ${path}: EIO`, { facts: { path, reason: 'EIO' } })
  }
}

function survival(random: SeededRandom, change: Change | NameChange): Survival {
  const lot = random.real()
  if (lot < 0.4) return false
  if (change.kind !== 'write' || lot < 0.7) return true
  if (lot < 0.8) return 'length'
  const from = random.chance(0.5) ? 0 : random.integer(0, change.bytes.length)
  return { from, to: random.integer(from, change.bytes.length) }
}
