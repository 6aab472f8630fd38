import { encodeHex } from '../../../src/base/bytes.ts'
import { PlaitError } from '../../../src/base/error.ts'
import { MemoryView } from '../../../src/store/memory-view.ts'
import type { View, ViewChange, ViewEntry, ViewRange } from '../../../src/store/view.ts'
import type { Process, SeededRandom } from '../../../src/testing/index.ts'

interface Transaction {
  readonly cursor: number
  readonly changes: readonly ViewChange[]
}

/** Of what a power cut takes at most. */
const unsyncedMax = 6
/** What is older becomes one transaction now and then, as a real database writes over what it had. */
const foldedAt = 1_000

/** The views of one machine, by their names: they outlive its processes, and lose their last transactions at a power cut. */
export class KeptViews {
  readonly #logsByName = new Map<string, Transaction[]>()
  readonly #delayMs: () => number

  /** `delayMs`: how long a transaction takes. */
  constructor(delayMs: () => number) {
    this.#delayMs = delayMs
  }

  open(name: string, process: Process): View {
    let log = this.#logsByName.get(name)
    if (log === undefined) this.#logsByName.set(name, (log = []))
    return new KeptView(log, process, this.#delayMs)
  }

  /** All of what is there stays up to a transaction, and nothing behind it. */
  cutPower(random: SeededRandom): void {
    for (const log of this.#logsByName.values()) log.length -= Math.min(log.length, random.integer(0, unsyncedMax))
  }

  lose(): void {
    for (const log of this.#logsByName.values()) log.length = 0
  }

  copy(): ReadonlyMap<string, readonly Transaction[]> {
    return new Map([...this.#logsByName].map(([name, log]) => [name, [...log]] as const))
  }

  /** No process may run. */
  putBack(copy: ReadonlyMap<string, readonly Transaction[]>): void {
    this.#logsByName.clear()
    for (const [name, log] of copy) this.#logsByName.set(name, [...log])
  }
}

/** A view of one process: what is committed stays when the process is gone, and nothing else. */
class KeptView implements View {
  readonly #memory = new MemoryView()
  readonly #log: Transaction[]
  readonly #process: Process
  readonly #delayMs: () => number
  #isClosed = false

  constructor(log: Transaction[], process: Process, delayMs: () => number) {
    this.#log = log
    this.#process = process
    this.#delayMs = delayMs
    for (const { cursor, changes } of log) void this.#memory.transact(cursor, changes)
  }

  get cursor(): number {
    return this.#memory.cursor
  }

  read(table: string, key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#memory.read(table, key)
  }

  entries(table: string, range?: ViewRange): Promise<ViewEntry[]> {
    return this.#memory.entries(table, range)
  }

  async transact(cursor: number, changes: readonly ViewChange[]): Promise<void> {
    if (this.#isClosed) throw new PlaitError('STORE_CLOSED', 'the view is closed')
    const delayMs = this.#delayMs()
    // Timers of a process that has ended never fire: what it had begun is not done.
    if (delayMs > 0) await new Promise<void>((resolve) => void this.#process.runtime.timers.after(delayMs, resolve))
    if (this.#process.scope.ended) return new Promise<void>(() => {})
    this.#log.push({ cursor, changes })
    if (this.#log.length >= foldedAt) fold(this.#log)
    await this.#memory.transact(cursor, changes)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }
}

/** Makes one transaction of all but the last. */
function fold(log: Transaction[]): void {
  const old = log.splice(0, log.length - unsyncedMax)
  const changes = new Map<string, ViewChange>()
  for (const change of old.flatMap((transaction) => transaction.changes)) {
    const key = `${change.table} ${encodeHex(change.key)}`
    if (change.isPrefix === true) for (const one of changes.keys()) if (one.startsWith(key)) changes.delete(one)
    if (change.value === undefined) changes.delete(key)
    else changes.set(key, change)
  }
  log.unshift({ cursor: old.at(-1)?.cursor ?? 0, changes: [...changes.values()] })
}
