import { dotList, dotSchema } from '../../crdt/dot-list.ts'
import { keyFromWriter, writerFromKey } from '../../crdt/dot.ts'
import { Writers } from '../../crdt/writers.ts'
import type { WriterTable } from '../../crdt/writers.ts'
import type { View, ViewChange } from '../../store/view.ts'
import { array, bool, bytes, decode, encode, struct, text, u8, u16, varint } from '../../wire/schema.ts'
import type { Schema } from '../../wire/schema.ts'
import type { Agreed, Agreement, Item } from '../plan/item.ts'
import { endsStep, paced } from '../plan/steps.ts'
import type { Pauses, Steps } from '../plan/steps.ts'
import { versionSchema } from '../version-schema.ts'
import type { EntryKind } from '../version.ts'
import type { DiskFacts } from './disk-entry.ts'

/**
 * What folder and tree were last known to say alike, kept in a view. It is derived, but not from the log alone: when it is lost, what is
 * in the folder is compared with the tree, and whatever is not the same there counts as made here.
 */
export class AgreementStore {
  readonly #view: View
  readonly #saved = new Map<string, Agreed>()
  /** In the order in which they first occurred; their keys stand in the view once, not in each row. */
  readonly #writers = new Writers([], { grows: true })
  readonly #schema = storedSchema(this.#writers)
  /** How many of them the view has. */
  #writersKept = 0

  private constructor(view: View) {
    this.#view = view
  }

  static async open(view: View): Promise<AgreementStore> {
    const store = new AgreementStore(view)
    for (const { value } of await view.entries(writerTable)) store.#writers.add(writerFromKey(value))
    store.#writersKept = store.#writers.size
    for (const { key, value } of await view.entries(table)) {
      const path = decoder.decode(key)
      store.#saved.set(path, readAgreed(path, decode(store.#schema, value)))
    }
    return store
  }

  /** A copy of what was saved last. */
  get agreement(): Agreement {
    return new Map(this.#saved)
  }

  /**
   * Writes what differs from what was saved last: in one transaction, so that what was moved is there once; in some when there is only
   * more than before. Only what is new is looked at: entries are replaced, never changed. `agreement` must not change meanwhile.
   */
  async save(agreement: Agreement, pace?: Pauses): Promise<void> {
    const { changed, gone, isMore } = await paced(this.#differences(agreement), pace)
    const batchMax = isMore ? moreMax : Infinity
    for (let from = 0; from < changed.length || (from === 0 && gone.length > 0); from += batchMax) {
      const batch = changed.slice(from, from + batchMax)
      const changes = await paced(changesFor(batch, gone, this.#schema), pace)
      await this.#view.transact(this.#view.cursor, [...this.#newWriters(), ...changes])
      this.#writersKept = this.#writers.size
      for (const agreed of batch) this.#saved.set(agreed.path, agreed)
    }
    for (const path of gone) this.#saved.delete(path)
  }

  #newWriters(): readonly ViewChange[] {
    const changes: ViewChange[] = []
    for (let place = this.#writersKept; place < this.#writers.size; place += 1)
      changes.push({ table: writerTable, key: placeKey(place), value: keyFromWriter(this.#writers.at(place)) })
    return changes
  }

  *#differences(agreement: Agreement): Steps<Differences> {
    const changed: Agreed[] = []
    let isMore = true
    let count = 0
    for (const [path, agreed] of agreement) {
      const saved = this.#saved.get(path)
      if (saved !== agreed) changed.push(agreed)
      isMore &&= saved === undefined || saved === agreed
      count += 1
      if (endsStep(count)) yield
    }
    const gone: string[] = []
    for (const path of this.#saved.keys()) {
      if (!agreement.has(path)) gone.push(path)
      count += 1
      if (endsStep(count)) yield
    }
    return { changed, gone, isMore: isMore && gone.length === 0 }
  }
}

interface Differences {
  readonly changed: readonly Agreed[]
  readonly gone: readonly string[]
  /** Nothing that was there is gone or another. */
  readonly isMore: boolean
}

/** Entries of one transaction, where there may be several. */
const moreMax = 2_048

function* changesFor(
  agreements: readonly Agreed[],
  gone: readonly string[],
  schema: Schema<Stored>,
): Steps<readonly ViewChange[]> {
  const changes: ViewChange[] = gone.map((path) => ({ table, key: encoder.encode(path), value: undefined }))
  for (const agreed of agreements) {
    changes.push({ table, key: encoder.encode(agreed.path), value: encode(schema, storedOf(agreed)) })
    if (endsStep(changes.length)) yield
  }
  return changes
}

const table = 'agreed'
const writerTable = 'agreed.writer'
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const kinds: readonly EntryKind[] = ['file', 'directory', 'link']
const factsBytes = 24

/** Entries of the tree that look the same. */
const claimsMax = 65_536

interface Stored {
  readonly format: number
  readonly name: string
  readonly isCopy: boolean
  readonly version: Item['version']
  readonly claims: Item['claims']
  readonly kind: number
  readonly mode: number
  readonly size: number
  readonly times: Uint8Array
}

function storedSchema(writers: WriterTable): Schema<Stored> {
  const dots = dotList(writers)
  return struct({
    format: u8,
    name: text({ max: 255 }),
    isCopy: bool,
    version: versionSchema,
    claims: array(struct({ id: dotSchema(writers), life: dots, versions: dots }), { max: claimsMax }),
    kind: u8,
    mode: u16,
    size: varint,
    times: bytes({ max: factsBytes }),
  })
}

/** Four bytes, most significant first: in the order of the places. */
function placeKey(place: number): Uint8Array {
  return Uint8Array.of(place >>> 24, place >>> 16, place >>> 8, place)
}

function storedOf({ name, isCopy, version, claims, disk }: Agreed): Stored {
  const times = new Uint8Array(factsBytes)
  const view = new DataView(times.buffer)
  view.setBigUint64(0, disk.inode, true)
  view.setBigInt64(8, disk.mtimeNs, true)
  view.setBigInt64(16, disk.ctimeNs, true)
  const { mode, size } = disk
  return { format: 2, name, isCopy, version, claims, kind: kinds.indexOf(disk.kind), mode, size, times }
}

function readAgreed(path: string, stored: Stored): Agreed {
  const { name, isCopy, version, claims, kind, mode, size, times } = stored
  const view = new DataView(times.buffer, times.byteOffset, factsBytes)
  const [inode, mtimeNs, ctimeNs] = [view.getBigUint64(0, true), view.getBigInt64(8, true), view.getBigInt64(16, true)]
  const disk: DiskFacts = { kind: kinds[kind] ?? 'file', mode, size, mtimeNs, ctimeNs, inode }
  return { path, name, isCopy, version, claims, disk }
}
