import { concatBytes } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import { Queue } from '../../base/queue.ts'
import type { ChunkList } from '../chunk-schemas.ts'
import { hashBytes } from '../hash.ts'
import { packings, refusals, type FetchMessage } from '../messages.ts'
import type { ChunkPacker } from './chunk-packer.ts'
import type { ChunkReader } from './chunk-reader.ts'
import type { RemotePeer, Say, SharedFeed } from './shared-feed.ts'

const { answerBytes, feedBlockBytes, packedChunksBytes, servedRequests } = defaultLimits
/** What is read and sent at a time, about; and how many chunks at most, each of which may turn out to be as long as any. */
const batchBytes = 128 * 1024
const batchChunks = 16
/** What one of unknown length counts for. */
const unknownBytes = 64 * 1024

/** Less is sent as it is; and what is packed to more than that part of its length. */
const packedBytesMin = 512
const packedPartMax = 0.9
/** After a batch that could not be packed so many more of the same list are not tried. */
const unpackedBatches = 15

interface Answer {
  readonly shared: SharedFeed
  readonly number: number
  readonly list: ChunkList
  readonly mayPack: boolean
  /** How many of them are answered. */
  at: number
  /** Bytes that may be read for it yet. */
  leftBytes: number
  isCancelled: boolean
}

/** What is being read, or was and waits to be sent. */
interface Batch {
  readonly bodies: (Uint8Array | undefined)[]
  readonly calls: (() => void)[]
  waiting: number
}

/** Answers one peer's requests for chunks, one after the other. Reads no more than one batch ahead of what the peer takes. */
export class ChunkServing {
  readonly #peer: RemotePeer
  readonly #say: Say
  readonly #packer: ChunkPacker | undefined
  /** Batches that are sent as they are, because one before them could not be packed. */
  #unpackedLeft = 0
  readonly #answers = new Queue<Answer>()
  #current: Answer | undefined
  #batch: Batch | undefined
  #isStepping = false

  constructor(peer: RemotePeer, say: Say, packer?: ChunkPacker) {
    this.#peer = peer
    this.#say = say
    this.#packer = packer
  }

  /** Takes a request; refuses it when too many wait, be they for chunks or for blocks. `waiting` are those for blocks. */
  answer(shared: SharedFeed, { request, bytes, packings: packs, chunks }: FetchMessage, waiting: number): void {
    const isFull = this.#peer.servedFetches + waiting >= servedRequests
    if (isFull && !this.#peer.isWritable) {
      const facts = { limit: servedRequests }
      throw new PlaitError('LIMIT', 'the other side asks for more and takes nothing', { facts, traced: false })
    }
    if (isFull) return this.#say(shared, 'refuse', { request, reason: refusals.busy })
    this.#peer.servedFetches += 1
    const leftBytes = Math.min(bytes, answerBytes)
    const mayPack = (packs & packings.zstd) !== 0
    this.#answers.push({ shared, number: request, list: chunks, mayPack, at: 0, leftBytes, isCancelled: false })
    this.pump()
  }

  cancel(shared: SharedFeed, number: number): void {
    this.#cancel((answer) => answer.shared === shared && answer.number === number)
  }

  /** Answers nothing more of a feed that is closed. */
  drop(shared: SharedFeed): void {
    this.#cancel((answer) => answer.shared === shared)
  }

  /** The peer is gone. */
  end(): void {
    this.#cancel(() => true)
  }

  /** Goes on when the peer takes more. */
  pump(): void {
    if (this.#isStepping) return
    this.#isStepping = true
    while (!this.#peer.isGone) {
      const answer = (this.#current ??= this.#answers.shift())
      if (answer === undefined) break
      if (answer.isCancelled || !answer.shared.isShared) this.#finish()
      else if (this.#batch === undefined && answer.shared.replica.chunkReader !== undefined)
        this.#read(answer, answer.shared.replica.chunkReader)
      else if (!this.#peer.isWritable) break
      else if (this.#batch === undefined) this.#refuse(answer)
      else if (this.#batch.waiting > 0) break
      else this.#send(answer, this.#batch)
    }
    this.#isStepping = false
  }

  #cancel(concerns: (answer: Answer) => boolean): void {
    for (const answer of [this.#current, ...this.#answers])
      if (answer !== undefined && concerns(answer)) answer.isCancelled = true
    this.pump()
    // Nothing is sent to who is gone, but what is being read for it is called off.
    if (this.#current?.isCancelled === true) this.#finish()
  }

  #refuse({ shared, number }: Answer): void {
    this.#say(shared, 'refuse', { request: number, reason: refusals.missing })
    this.#finish()
  }

  #read({ list, at }: Answer, reader: ChunkReader): void {
    const length = batchLength(list, at)
    const batch: Batch = { bodies: [], calls: [], waiting: length }
    this.#batch = batch
    for (let index = 0; index < length; index += 1) {
      const from = (at + index) * hashBytes
      const call = reader.read(list.hashes.slice(from, from + hashBytes), (bytes) => {
        batch.bodies[index] = bytes
        batch.waiting -= 1
        if (batch.waiting === 0 && this.#batch === batch) this.pump()
      })
      batch.calls.push(call)
    }
  }

  #send(answer: Answer, { bodies, calls }: Batch): void {
    const { shared, number, list, at } = answer
    const chunks: (Uint8Array | undefined)[] = []
    for (let index = 0; index < calls.length; index += 1) {
      // One at least, and then as long as something is left.
      if (index > 0 && answer.leftBytes <= 0) break
      const body = bodies[index]
      // Also what is not sent, because it is not what was asked for, was read.
      answer.leftBytes -= body?.length ?? 0
      chunks.push(isFit(body, list.lengths[at + index]) ? body : undefined)
    }
    answer.at += chunks.length
    const last = answer.at === list.lengths.length || answer.leftBytes <= 0
    this.#batch = undefined
    const packed = answer.mayPack ? this.#pack(chunks) : undefined
    if (packed === undefined) this.#say(shared, 'chunks', { request: number, last, chunks })
    else this.#say(shared, 'packed', { request: number, last, lengths: chunks.map((chunk) => chunk?.length), packed })
    if (last) this.#finish()
  }

  /** Undefined when it is hardly worth while, or was not a moment before. */
  #pack(chunks: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
    const bodies = chunks.filter((chunk) => chunk !== undefined)
    const bytes = bodies.reduce((sum, { length }) => sum + length, 0)
    if (this.#packer === undefined || bytes < packedBytesMin || bytes > packedChunksBytes) return undefined
    if (this.#unpackedLeft > 0) {
      this.#unpackedLeft -= 1
      return undefined
    }
    const packed = this.#packer.pack(concatBytes(bodies))
    if (packed !== undefined && packed.length <= bytes * packedPartMax) return packed
    this.#unpackedLeft = unpackedBatches
    return undefined
  }

  #finish(): void {
    for (const call of this.#batch?.calls ?? []) call()
    this.#batch = undefined
    if (this.#current !== undefined) this.#peer.servedFetches -= 1
    this.#current = undefined
  }
}

/** How many to read at once. */
function batchLength({ lengths }: ChunkList, at: number): number {
  let bytes = 0
  let count = 0
  for (; count < batchChunks && at + count < lengths.length; count += 1) {
    bytes += lengths[at + count] ?? unknownBytes
    if (count > 0 && bytes > batchBytes) break
  }
  return count
}

function isFit(body: Uint8Array | undefined, length: number | undefined): boolean {
  return body !== undefined && body.length <= feedBlockBytes && body.length === (length ?? body.length)
}
