import type { ChunkPacker } from '../../src/feed/sync/chunk-packer.ts'
import { bytesEqual } from '../../src/base/bytes.ts'
import type { PlaitError } from '../../src/base/error.ts'
import { Bitmap } from '../../src/feed/bitmap.ts'
import { Frontier } from '../../src/feed/frontier.ts'
import { signHead } from '../../src/feed/head.ts'
import { sha256 } from '../../src/feed/node/sha256.ts'
import { nodeCount } from '../../src/feed/numbering.ts'
import type { FeedHead, FeedStore } from '../../src/feed/sync/feed-store.ts'
import { MemoryStore } from '../../src/feed/sync/memory-store.ts'
import { Replica, type ReplicaOptions } from '../../src/feed/sync/replica.ts'
import type { RemotePeer } from '../../src/feed/sync/shared-feed.ts'
import { Synchronizer } from '../../src/feed/sync/synchronizer.ts'
import { simulatedIdentity, simulatedVerify } from '../../src/identity/simulated.ts'

/** What a link does; nothing is lost on it, as nothing is on a circuit. */
export interface LinkOptions {
  readonly delayMs?: number
  /** 1 Gbit/s is 125,000. */
  readonly bytesPerMs?: number
  /** Changes what a node sends, or swallows it. */
  readonly tamper?: (from: string, op: number, payload: Uint8Array) => Uint8Array | undefined
}

export interface SyncNode {
  readonly name: string
  readonly synchronizer: Synchronizer
  readonly ended: PlaitError[]
  /** Whom it has ended. */
  readonly endedIds: string[]
  readonly forked: Replica[]
  readonly heard: number[]
  readonly behind: FeedHead[]
  /** Bytes that were sent to it. */
  receivedBytes: number
}

interface Event {
  readonly at: number
  readonly number: number
  readonly run: () => void
}

/** What a connection has queued before `send` says that it is enough. */
const markBytes = 1024 * 1024

/** Nodes with nothing but synchronizers, on virtual time. */
export class SyncWorld {
  now = 0
  messages = 0
  readonly #events: Event[] = []
  #number = 0

  /** `packer`: packs chunks, and takes packed ones. */
  node(name: string, packer?: ChunkPacker): SyncNode {
    const ended: PlaitError[] = []
    const endedIds: string[] = []
    const forked: Replica[] = []
    const heard: number[] = []
    const behind: FeedHead[] = []
    const synchronizer = new Synchronizer({
      hash: sha256,
      verify: simulatedVerify,
      ...(packer && { packer }),
      events: {
        ended: (peer, error) => {
          ended.push(error)
          endedIds.push(peer.options.id)
        },
        forked: (replica) => forked.push(replica),
        heard: (_replica, { length }) => heard.push(length),
        behind: (_replica, head) => behind.push(head),
      },
    })
    return { name, synchronizer, ended, endedIds, forked, heard, behind, receivedBytes: 0 }
  }

  /** Joins two nodes; returns how to part them. */
  connect(one: SyncNode, other: SyncNode, options: LinkOptions = {}): () => void {
    const binding = new Uint8Array(32).map((_, index) => (this.#number * 7 + index) & 255)
    let isOpen = true
    const ends: [RemotePeer | undefined, RemotePeer | undefined] = [undefined, undefined]
    const nodes = [one, other] as const
    const part = (): void => {
      if (!isOpen) return
      isOpen = false
      nodes.forEach((node, index) => ends[index] && node.synchronizer.disconnect(ends[index], this.now))
    }
    const portOf = (from: 0 | 1): { send(op: number, payload: Uint8Array): boolean; end(): void } => {
      const { delayMs = 1, bytesPerMs = 125_000, tamper } = options
      let free = 0
      let queued = 0
      let isFull = false
      const to = nodes[1 - from] as SyncNode
      return {
        send: (op, original) => {
          const payload = tamper === undefined ? original : tamper(nodes[from].name, op, original)
          if (payload === undefined) return true
          const bytes = payload.length + 16
          queued += bytes
          free = Math.max(free, this.now) + bytes / bytesPerMs
          this.#at(free, () => {
            queued -= bytes
            if (!isFull || queued >= markBytes / 2 || !isOpen) return
            isFull = false
            nodes[from].synchronizer.ready(ends[from] as RemotePeer, this.now)
          })
          this.#at(free + delayMs, () => {
            if (!isOpen) return
            this.messages += 1
            to.receivedBytes += bytes
            to.synchronizer.receive(ends[1 - from] as RemotePeer, op, payload, this.now)
          })
          isFull ||= queued >= markBytes
          return !isFull
        },
        end: () => this.#at(this.now, part),
      }
    }
    nodes.forEach((node, index) => {
      const role = index === 0 ? 'chair' : 'guest'
      const id = (nodes[1 - index] as SyncNode).name
      ends[index] = node.synchronizer.connect(portOf(index as 0 | 1), { id, binding, role }, this.now)
    })
    const tick = (): void => {
      if (!isOpen) return
      for (const node of nodes) node.synchronizer.tick(this.now)
      this.#at(this.now + 100, tick)
    }
    this.#at(this.now + 100, tick)
    if (ends.includes(undefined)) part()
    return part
  }

  /** Lets time pass until `done`, no more than so many ms. Returns how many it took. */
  run(forMs: number, done: () => boolean = () => false): number {
    const start = this.now
    while (!done()) {
      const next = this.#events[0]
      if (next === undefined || next.at > start + forMs) {
        this.now = start + forMs
        break
      }
      this.#shift()
      this.now = Math.max(this.now, next.at)
      next.run()
    }
    return this.now - start
  }

  /** Runs something so many ms from now. */
  later(ms: number, run: () => void): void {
    this.#at(this.now + ms, run)
  }

  #at(at: number, run: () => void): void {
    const events = this.#events
    let index = events.length
    events.push({ at, number: (this.#number += 1), run })
    for (; index > 0; index = (index - 1) >> 1) {
      const above = (index - 1) >> 1
      if (before(events[above] as Event, events[index] as Event)) break
      swap(events, above, index)
    }
  }

  #shift(): void {
    const events = this.#events
    const last = events.pop() as Event
    if (events.length === 0) return
    events[0] = last
    for (let index = 0; ;) {
      let least = index
      for (const below of [index * 2 + 1, index * 2 + 2])
        if (below < events.length && before(events[below] as Event, events[least] as Event)) least = below
      if (least === index) return
      swap(events, least, index)
      index = least
    }
  }
}

/** What a writer had at some time. */
export interface WriterCopy {
  readonly fork: number
  readonly blocks: readonly Uint8Array[]
  readonly head: FeedHead | undefined
  readonly peaks: Uint8Array
}

/** A writer with its blocks. */
export class Writer {
  readonly identity: ReturnType<typeof simulatedIdentity>
  store: MemoryStore = new MemoryStore()
  replica: Replica
  /** What the feed is made of, whatever of it the store has. */
  readonly blocks: Uint8Array[] = []
  #frontier = new Frontier(sha256)
  #fork = 0

  /** What the store does may take its time, if it is in another one. */
  constructor(seed: number, blocks: readonly Uint8Array[] = [], within: (store: MemoryStore) => FeedStore = same) {
    this.identity = simulatedIdentity(Uint8Array.of(seed & 255, seed >> 8))
    const [head, peaks] = this.#append(blocks)
    this.replica = new Replica({
      ...{ name: this.identity.publicKey, store: within(this.store), isWriter: true },
      ...(blocks.length > 0 && { head, peaks, have: full(blocks.length) }),
    })
  }

  append(node: SyncNode, blocks: readonly Uint8Array[], now: number): void {
    const [head, peaks] = this.#append(blocks)
    node.synchronizer.appended(this.replica, head, peaks, now)
  }

  /** Takes back all blocks from `length` on. */
  truncate(node: SyncNode, length: number, now: number): void {
    this.blocks.length = length
    this.#fork += 1
    this.#frontier = new Frontier(sha256)
    this.#frontier.append(this.blocks)
    this.store.truncate(this.#fork, length)
    const head = this.#sign()
    this.store.head = head
    node.synchronizer.truncated(this.replica, head, this.#frontier.peaks(), now)
  }

  /** Whether its replica is where the feed is: only then may it append. */
  get isCurrent(): boolean {
    return this.replica.fork === this.#fork && this.replica.length === this.blocks.length
  }

  /** A copy of what it has, of which it may be restored: with all blocks, whatever has rotted. */
  save(): WriterCopy {
    const [fork, blocks, { head, peaks }] = [this.#fork, [...this.blocks], this.replica]
    return { fork, blocks, head, peaks }
  }

  /** Has no more than it had then, and does not know of it. */
  restore(node: SyncNode, { fork, blocks, head, peaks }: WriterCopy, now: number): void {
    node.synchronizer.remove(this.replica)
    const nodes = new Frontier(sha256).append(blocks)
    const groups = [{ start: 0, blocks, position: 0, nodes }]
    this.store = new MemoryStore()
    this.store.fork = fork
    this.store.store({ fork, head, peaks, positions: [], hashes: new Uint8Array(0), groups }, () => {})
    const { name } = this.replica
    const rest = { head, peaks, fork, have: full(blocks.length) }
    this.replica = new Replica({ name, store: this.store, isWriter: true, ...rest })
    node.synchronizer.add(this.replica, now)
  }

  /** Goes on from where its replica is, which has heard more than it had. */
  resume(): void {
    const { head, length, peaks, fork } = this.replica
    if (head === undefined) throw new Error('there is no head')
    this.blocks.length = 0
    for (let index = 0; index < length; index += 1) this.blocks.push(this.store.blocks.get(index) ?? nothing)
    this.#frontier = new Frontier(sha256, length, peaks)
    this.#fork = fork
  }

  #append(blocks: readonly Uint8Array[]): readonly [FeedHead, Uint8Array] {
    const start = this.#frontier.length
    const nodes = this.#frontier.append(blocks)
    this.blocks.push(...blocks)
    const head = this.#sign()
    const peaks = this.#frontier.peaks()
    const group = { start, blocks, position: nodeCount(start), nodes }
    const rest = { positions: [], hashes: new Uint8Array(0), groups: [group] }
    this.store.store({ fork: this.#fork, head, peaks, ...rest }, () => {})
    return [head, peaks]
  }

  #sign(): FeedHead {
    const { key: _key, ...head } = signHead(this.identity, {
      fork: this.#fork,
      length: this.#frontier.length,
      bytes: this.blocks.reduce((sum, block) => sum + block.length, 0),
      root: this.#frontier.root(),
    })
    return head
  }
}

/** A replica of a feed with nothing in it, and its store. */
export function reader(
  name: Uint8Array,
  options: Partial<ReplicaOptions> = {},
): { replica: Replica; store: MemoryStore } {
  const store = new MemoryStore()
  return { replica: new Replica({ name, store, ...options }), store }
}

/** Another node with all that a writer has, which cannot append. */
export function holder({ replica, store }: Writer): Replica {
  const { name, head, peaks, length } = replica
  return new Replica({ name, store, head, peaks, have: full(length) })
}

/** Whether all blocks of `writer` are in `store`, as they were. */
export function hasAll(writer: Writer, store: MemoryStore): boolean {
  const { blocks } = writer
  if (store.blocks.size !== blocks.length) return false
  return blocks.every((block, index) => bytesEqual(store.blocks.get(index) ?? nothing, block))
}

export function blocksOf(count: number, bytes: number, salt = 0): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const block = new Uint8Array(bytes).fill(salt)
    block[0] = index & 255
    if (bytes > 1) block[1] = index >> 8
    if (bytes > 2) block[2] = index >> 16
    return block
  })
}

/** Rot: blocks that were there are not any more. */
export function lose(
  node: SyncNode,
  { replica, store }: { replica: Replica; store: MemoryStore },
  start: number,
  end: number,
  now: number,
): void {
  for (let index = start; index < end; index += 1) if (replica.have.has(index)) store.blocks.delete(index)
  node.synchronizer.lost(replica, start, end, now)
}

const nothing = Uint8Array.of(255)

function same(store: MemoryStore): MemoryStore {
  return store
}

function full(length: number): Bitmap {
  const bitmap = new Bitmap()
  bitmap.add(0, length)
  return bitmap
}

function before(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.number < other.number)
}

function swap(events: Event[], one: number, other: number): void {
  const kept = events[one] as Event
  events[one] = events[other] as Event
  events[other] = kept
}
