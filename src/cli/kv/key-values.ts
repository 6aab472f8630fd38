import { createReplica, type ReplicaChange, type ReplicaOf } from '../../causal/replica.ts'
import { Waiters } from '../../base/waiters.ts'
import type { Group } from '../../causal/group-api.ts'
import type { Dot } from '../../crdt/dot.ts'
import { lwwRegister } from '../../crdt/lww-register.ts'
import { orMap, type OrMap, type OrMapOperation } from '../../crdt/or-map.ts'
import type { LwwRegister } from '../../crdt/lww-register.ts'
import type { RegisterOperation } from '../../crdt/mv-register.ts'
import { bytesValue, textValue } from '../../crdt/value-type.ts'
import type { CrdtType } from '../../crdt/crdt-type.ts'

/** What of the past is remembered for those who watch: who was away for longer gets all keys. */
const rememberedMax = 65_536

type Register = LwwRegister<Uint8Array>
type Operation = RegisterOperation<Uint8Array>
type Schema = { readonly values: CrdtType<OrMap<string, Register, Operation>, OrMapOperation<string, Operation>> }

const schema: Schema = { values: orMap(textValue(), lwwRegister(bytesValue())) }

/** A key, and its value: undefined when it has none any more. */
export interface KeyValue {
  readonly key: string
  readonly value: Uint8Array | undefined
  /** Which node has changed it last; undefined when that was before this program began. */
  readonly from: string | undefined
}

interface Touch {
  readonly revision: number
  readonly from: string
}

/** The replicated map of a group, from texts to bytes: of those who write a key at the same time the last one wins. */
export class KeyValues {
  readonly group: Group
  readonly #replica: ReplicaOf<Schema>
  /** Keys that have changed since the program began, those that changed last at the end. */
  readonly #touches = new Map<string, Touch>()
  readonly #changed = new Waiters()
  /** Up to which changes have been forgotten. */
  #forgotten = 0
  /** Counts changes, for as long as the program runs. */
  revision = 0

  private constructor(replica: ReplicaOf<Schema>) {
    this.group = replica.group
    this.#replica = replica
    replica.subscribe((change) => this.#touch(change))
    replica.group.addEventListener('overturned', () => this.#forget())
  }

  /** Begins to take the operations of the group. */
  static async open(group: Group): Promise<KeyValues> {
    return new KeyValues(await createReplica(group, schema))
  }

  get size(): number {
    return this.#replica.values.size
  }

  /** Resolves when all operations that are here are in it, as far as what they follow is here. */
  settled(): Promise<void> {
    return this.#replica.settled()
  }

  read(key: string): Uint8Array | undefined {
    return this.#replica.values.at(key)?.value
  }

  /** Resolves when it is durable here. */
  set(key: string, value: Uint8Array): Promise<Dot> {
    return this.#replica.values.update(key, (register) => register.set(value))
  }

  delete(key: string): Promise<Dot> {
    return this.#replica.values.delete(key)
  }

  /** All of it, by key. */
  list(): readonly KeyValue[] {
    return [...this.#replica.values.keys()].sort().map((key) => this.#now(key, this.#touches.get(key)?.from))
  }

  /** What has changed since a revision, each key once, as it is now; undefined when that is not known any more. */
  since(revision: number): readonly KeyValue[] | undefined {
    if (revision < this.#forgotten || revision > this.revision) return undefined
    const changes: KeyValue[] = []
    for (const [key, touch] of this.#touches) if (touch.revision > revision) changes.push(this.#now(key, touch.from))
    return changes
  }

  /** Resolves when something has changed since a revision. Rejects with the reason of the signal. */
  async changedSince(revision: number, signal: AbortSignal): Promise<void> {
    while (this.revision === revision) await this.#changed.wait(signal)
  }

  #now(key: string, from: string | undefined): KeyValue {
    return { key, value: this.read(key), from }
  }

  #touch({ changes, from }: ReplicaChange): void {
    for (const { path, kind, value } of changes) {
      const key = path[1] ?? (kind === 'removed' ? value : undefined)
      if (typeof key !== 'string') continue
      this.revision += 1
      this.#touches.delete(key)
      this.#touches.set(key, { revision: this.revision, from })
    }
    for (const [key, { revision }] of this.#touches) {
      if (this.#touches.size <= rememberedMax) break
      this.#touches.delete(key)
      this.#forgotten = revision
    }
    this.#changed.wake()
  }

  #forget(): void {
    this.revision += 1
    this.#forgotten = this.revision
    this.#touches.clear()
    this.#changed.wake()
  }
}
