import { PlaitError } from '../base/error.ts'
import type { Change, Crdt, CrdtType } from '../crdt/crdt-type.ts'
import type { Dot, Writer } from '../crdt/dot.ts'
import type { PnCounter } from '../crdt/pn-counter.ts'
import { record } from '../crdt/record.ts'
import type { CrdtRecord, OperationOf, RecordOperation, StateOf } from '../crdt/record.ts'
import { sha256 } from '../feed/node/sha256.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Group, PublishOptions } from './group-api.ts'
import type { Delivery } from './group-machine.ts'
import { OpenGroup } from './group.ts'
import { allows } from './members/roster-operation.ts'
import { ReplicaState } from './replica-state.ts'

// A field of any type: its own types are found again by `StateOf` and `OperationOf`.
type AnyField = CrdtType<Crdt<unknown>, unknown>
type Fields = Readonly<Record<string, AnyField>>

/** How the state of a field is read, and changed: by its methods that prepare operations, each of which publishes one. */
export type ReplicaField<State, Operation> = Omit<State, Preparing<State, Operation> | keyof Crdt<never>> &
  (State extends PnCounter
    ? { add(amount: number, options?: PublishOptions): Promise<Dot> }
    : { readonly [Name in Preparing<State, Operation>]: Publishing<State[Name]> })

type Preparing<State, Operation> = {
  [Name in keyof State]: State[Name] extends (...args: never[]) => Operation ? Name : never
}[keyof State]

type Publishing<Method> = Method extends (...args: infer Arguments) => unknown
  ? (...args: Arguments) => Promise<Dot>
  : never

export type ReplicaOf<F> = Replica & {
  readonly [Name in keyof F]: ReplicaField<StateOf<F[Name]>, OperationOf<F[Name]>>
}

export interface ReplicaChange {
  readonly dot: Dot
  readonly from: NodeId
  readonly changes: readonly Change[]
}

/** What a replica has beside its fields, which can therefore not be called so. */
export interface Replica {
  readonly group: Group
  /** Resolves when all operations that are here are in it, as far as what they follow is here. */
  settled(): Promise<void>
  /** Calls `listener` with what an operation has changed, and by whom. Returns how to end that. */
  subscribe(listener: (change: ReplicaChange) => void): () => void
  /** SHA-256 of the state: the same at replicas that hold the same. Takes the time to write all of it. */
  hash(): Uint8Array
}

export interface ReplicaOptions {
  /** Where an operation has to be durable until the method that publishes it resolves. `local` when absent. */
  readonly replication?: PublishOptions['replication']
}

/**
 * Binds a group to a state: `schema` says which fields it has, the same at every member. What is read is what has been delivered here,
 * own operations at once; a method that changes something resolves when the operation is durable. After a restart everything is there
 * again. To be called once for a group, which takes its operations. Rejects with `CORRUPT` when the group has been opened here with
 * another schema, `INVALID_ARGUMENT` for names that a replica has itself.
 */
export async function createReplica<const F extends Fields>(
  group: Group,
  schema: F,
  options: ReplicaOptions = {},
): Promise<ReplicaOf<F>> {
  if (!(group instanceof OpenGroup)) throw new PlaitError('INVALID_ARGUMENT', 'a replica needs a group of this library')
  for (const name of Object.keys(schema))
    if (reserved.has(name)) throw new PlaitError('INVALID_ARGUMENT', `a field cannot be called ${name}`)
  const replica = new GroupReplica(group, schema, options)
  await replica.begin()
  const fields: Record<string, unknown> = {}
  for (const name of Object.keys(schema)) fields[name] = replica.field(name)
  return Object.assign(replica, fields) as unknown as ReplicaOf<F>
}

/** A field for who prepares its operations: what they are made from, and how they are published. */
export interface PreparedField<State, Operation> {
  /** As it is now; another one after everything was delivered again. Not to be changed. */
  readonly state: State
  /**
   * Publishes an operation, which is delivered here when this returns; `durable` settles when it is on the disk, or cannot be. Throws
   * `FORBIDDEN` for who may not write, or is not known to be able to yet.
   */
  publish(operation: Operation): { readonly dot: Dot; readonly durable: Promise<unknown> }
  /** Resolves when something can be published. Rejects with the signal's reason, or with why it never will. */
  ready(signal?: AbortSignal): Promise<void>
  /** Under which this node writes now. */
  readonly writer: Writer
}

/** The field `name` of a replica that was made with `type` for it. */
export function preparedField<State extends Crdt<Operation>, Operation>(
  replica: Replica,
  name: string,
  type: CrdtType<State, Operation>,
): PreparedField<State, Operation> {
  if (!(replica instanceof GroupReplica)) throw new PlaitError('INVALID_ARGUMENT', 'a replica of another library')
  return replica.prepared(name, type) as PreparedField<State, Operation>
}

const reserved: ReadonlySet<string> = new Set([
  'group',
  'settled',
  'subscribe',
  'hash',
  'begin',
  'field',
  'prepared',
  'then',
  'constructor',
  '__proto__',
])

class GroupReplica<F extends Fields> implements Replica {
  readonly group: OpenGroup
  readonly #schema: F
  readonly #options: ReplicaOptions
  readonly #state: ReplicaState<CrdtRecord<F>, RecordOperation<F>>
  readonly #listeners = new Set<(change: ReplicaChange) => void>()

  constructor(group: OpenGroup, schema: F, options: ReplicaOptions) {
    this.group = group
    this.#schema = schema
    this.#options = options
    this.#state = new ReplicaState(record(schema), (delivery, changes) => this.#tell(delivery, changes))
  }

  async begin(): Promise<void> {
    await this.group.start(this.#state)
  }

  settled(): Promise<void> {
    return this.group.engine.settled()
  }

  subscribe(listener: (change: ReplicaChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  hash(): Uint8Array {
    return sha256.digest(this.#state.encode())
  }

  /** The state of a field, whose methods that prepare operations publish them. */
  field(name: keyof F & string): unknown {
    const type = this.#schema[name] as AnyField
    const methods = new Map(
      type.prepares.map((method) => [
        method,
        (...given: unknown[]): Promise<Dot> => this.#publish(name, type, method, given),
      ]),
    )
    return new Proxy(
      {},
      {
        get: (_target, key) => {
          const publishing = typeof key === 'string' ? methods.get(key) : undefined
          if (publishing !== undefined) return publishing
          const state: object = this.#state.value.at(name)
          const value: unknown = Reflect.get(state, key)
          return typeof value === 'function' ? (value.bind(state) as unknown) : value
        },
        has: (_target, key) => methods.has(String(key)) || Reflect.has(this.#state.value.at(name), key),
      },
    )
  }

  prepared(name: keyof F & string, type: AnyField): PreparedField<unknown, unknown> {
    if (this.#schema[name] !== type)
      throw new PlaitError('INVALID_ARGUMENT', `the field ${name} was made with another type`)
    const state = this.#state
    const { group } = this
    return {
      get state() {
        return state.value.at(name)
      },
      get writer() {
        return group.writer
      },
      publish(operation) {
        if (group.role === undefined || !allows(group.role, 'write'))
          throw new PlaitError('FORBIDDEN', 'this node may not write')
        const value = state.value.update(name, () => operation as OperationOf<F[typeof name]>)
        return state.publishing(value, () =>
          group.engine.write('operation', { schema: (writers) => state.schemaFor(writers), value }),
        )
      },
      ready: (signal) => group.engine.whenWriting(signal),
    }
  }

  async #publish(name: keyof F & string, type: AnyField, method: string, given: readonly unknown[]): Promise<Dot> {
    const { group } = this
    if (!group.engine.isWriting) await group.engine.whenWriting(undefined)
    const all = type.takesWriter === true ? [...given.slice(0, 1), group.writer] : given
    const operation = this.#state.value.update(name, (state) => {
      const prepare = Reflect.get(state, method) as (...values: readonly unknown[]) => OperationOf<F[typeof name]>
      return prepare.apply(state, [...all])
    })
    const { replication } = this.#options
    return this.#state.publishing(operation, () =>
      group.write(
        { schema: (writers) => this.#state.schemaFor(writers), value: operation },
        replication === undefined ? {} : { replication },
      ),
    )
  }

  #tell({ dot, node }: Delivery, changes: readonly Change[]): void {
    if (this.#listeners.size === 0 || changes.length === 0) return
    for (const listener of this.#listeners) listener({ dot, from: node, changes })
  }
}
