import type { Change, Contents, Survival } from './disk-contents.ts'

/** One change of the names in a directory that has not been synced: a rename within it is one change, and never half of one. */
export interface NameChange {
  readonly kind: 'name'
  /** The name that stands for something else from now on, and the one that stands for nothing any more. */
  readonly put: string | undefined
  readonly removed: string | undefined
}

interface Pending {
  readonly change: NameChange
  readonly entry: Contents | Directory
}

/** What has not been synced, with the path under which it is or was. */
export interface Unsynced {
  readonly path: string
  readonly change: Change | NameChange
}

/** Says of each unsynced change what a power cut leaves of it. A change of names is left or lost as a whole. */
export type Survives = (change: Change | NameChange) => Survival

/** Names and what they stand for: as a program sees them, and as they would be found after a power cut. */
export class Directory {
  #entries = new Map<string, Contents | Directory>()
  #durable = new Map<string, Contents | Directory>()
  #pending: Pending[] = []

  get names(): readonly string[] {
    return [...this.#entries.keys()].sort()
  }

  get size(): number {
    return this.#entries.size
  }

  entry(name: string): Contents | Directory | undefined {
    return this.#entries.get(name)
  }

  put(name: string, entry: Contents | Directory): void {
    this.#change({ change: { kind: 'name', put: name, removed: undefined }, entry })
  }

  remove(name: string): void {
    this.#removeEntry(name, undefined)
  }

  rename(from: string, to: string): void {
    this.#removeEntry(from, to)
  }

  sync(): void {
    this.#durable = new Map(this.#entries)
    this.#pending = []
  }

  crash(survives: Survives): void {
    for (const pending of this.#pending) if (survives(pending.change) !== false) apply(this.#durable, pending)
    this.#pending = []
    this.#entries = new Map(this.#durable)
    for (const entry of this.#entries.values()) entry.crash(survives)
  }

  /** What a power cut would leave, for another disk. */
  afterCrash(survives: Survives): Directory {
    const durable = new Map(this.#durable)
    for (const pending of this.#pending) if (survives(pending.change) !== false) apply(durable, pending)
    const copy = new Directory()
    for (const [name, entry] of durable) copy.#durable.set(name, entry.afterCrash(survives))
    copy.#entries = new Map(copy.#durable)
    return copy
  }

  /** All unsynced changes here and below, those of what has lost its name included. */
  unsynced(path: string): Unsynced[] {
    const below = path === '' ? '' : `${path}/`
    const found: Unsynced[] = this.#pending.map(({ change }) => ({
      path: `${below}${change.put ?? change.removed}`,
      change,
    }))
    const pathsByEntry = new Map<Contents | Directory, string>()
    for (const [name, entry] of [...this.#durable, ...this.#entries]) pathsByEntry.set(entry, `${below}${name}`)
    for (const { change, entry } of this.#pending) {
      if (!pathsByEntry.has(entry)) pathsByEntry.set(entry, `${below}${change.removed ?? change.put}`)
    }
    for (const [entry, name] of pathsByEntry) {
      if (entry instanceof Directory) found.push(...entry.unsynced(name))
      else found.push(...entry.unsynced.map((change) => ({ path: name, change })))
    }
    return found
  }

  /** The paths of all files below. */
  files(path: string): Map<string, Contents> {
    const found = new Map<string, Contents>()
    for (const [name, entry] of this.#entries) {
      const full = path === '' ? name : `${path}/${name}`
      if (entry instanceof Directory) for (const [below, contents] of entry.files(full)) found.set(below, contents)
      else found.set(full, entry)
    }
    return found
  }

  /** Length of all files below. */
  bytes(): number {
    let sum = 0
    for (const entry of this.#entries.values()) sum += entry instanceof Directory ? entry.bytes() : entry.length
    return sum
  }

  #removeEntry(removed: string, put: string | undefined): void {
    const entry = this.#entries.get(removed)
    if (entry !== undefined) this.#change({ change: { kind: 'name', put, removed }, entry })
  }

  #change(pending: Pending): void {
    this.#pending.push(pending)
    apply(this.#entries, pending)
  }
}

function apply(entries: Map<string, Contents | Directory>, { change, entry }: Pending): void {
  // Of changes that reach the disk out of order, an older name that is something else by then is left alone.
  if (change.removed !== undefined && entries.get(change.removed) === entry) entries.delete(change.removed)
  if (change.put !== undefined) entries.set(change.put, entry)
}
