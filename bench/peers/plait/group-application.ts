import { createHash, type Hash } from 'node:crypto'
import {
  createReplica,
  type DeliveryTransaction,
  type Dot,
  type Group,
  orSet,
  type PublishOptions,
  textValue,
} from 'plait'
import { type LatencyLog, machineMs } from '../../groups/latency-log.ts'
import type { MemberKind } from '../../groups/order.ts'
import { type Payload, PayloadWriter, readPayload } from '../../groups/payload.ts'

/** What a member does with the operations of its group. */
export interface Application {
  /** The options count where operations are published one by one. */
  publish(payload: Payload, bytes: number, options: PublishOptions): Promise<Dot>
  hash(): Promise<string>
}

/** Begins to take the operations. `heard`: how long those of others were on their way. */
export async function startApplication(
  group: Group,
  kind: MemberKind,
  writer: () => number | undefined,
  heard: LatencyLog,
): Promise<Application> {
  if (kind === 'replica') return startSet(group)
  return new Deliveries(group, kind, writer, heard)
}

const table = 'operations'
const hashedAtOnce = 1_000

class Deliveries implements Application {
  readonly #group: Group
  readonly #kind: MemberKind
  #writer = new PayloadWriter(200)
  #writerBytes = 200
  #hashed: ((hash: string) => void) | undefined

  constructor(group: Group, kind: MemberKind, own: () => number | undefined, heard: LatencyLog) {
    this.#group = group
    this.#kind = kind
    group.deliver((delivery, transaction) => {
      const { payload } = delivery
      const { isData, writer, place, sentMs } = readPayload(payload)
      if (!isData) return this.#writeHash(transaction)
      if (writer !== own()) heard.add(machineMs() - sentMs)
      if (kind !== 'table') return
      transaction.put(table, keyOf(writer, place), payload)
      return
    })
  }

  publish(payload: Payload, bytes: number, options: PublishOptions): Promise<Dot> {
    if (bytes !== this.#writerBytes) {
      this.#writer = new PayloadWriter(bytes)
      this.#writerBytes = bytes
    }
    return this.#group.publish(this.#writer.write(payload), options)
  }

  /** Everybody writes it down when it comes to the operation that asks for it: only there is the table at hand. */
  async hash(): Promise<string> {
    if (this.#kind !== 'table') return ''
    const hash = new Promise<string>((resolve) => (this.#hashed = resolve))
    await this.publish({ isData: false, writer: 0, place: 0, sentMs: 0 }, this.#writerBytes, {})
    return hash
  }

  async #writeHash(transaction: DeliveryTransaction): Promise<void> {
    const hashed = this.#hashed
    if (hashed === undefined) return
    this.#hashed = undefined
    const hash = createHash('sha256')
    for (let writer = 0; writer < writersMost; writer += 1) await hashPlaces(hash, writer, transaction)
    hashed(hash.digest('hex'))
  }
}

const writersMost = 8

/** Places are taken in turn from 0: the first one that is not there is the end. */
async function hashPlaces(hash: Hash, writer: number, transaction: DeliveryTransaction): Promise<void> {
  for (let place = 0; ; place += hashedAtOnce) {
    const values = await Promise.all(
      Array.from({ length: hashedAtOnce }, (_, index) => transaction.read(table, keyOf(writer, place + index))),
    )
    for (const value of values) {
      if (value === undefined) return
      hash.update(value)
    }
  }
}

function keyOf(writer: number, place: number): Uint8Array {
  const key = new Uint8Array(5)
  const view = new DataView(key.buffer)
  view.setUint8(0, writer)
  view.setUint32(1, place)
  return key
}

async function startSet(group: Group): Promise<Application> {
  const replica = await createReplica(group, { tags: orSet(textValue()) })
  return {
    publish: ({ writer, place }) => replica.tags.add(`element ${writer}.${place}`),
    hash: () => Promise.resolve(Buffer.from(replica.hash()).toString('hex')),
  }
}
