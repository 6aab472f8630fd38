import { PlaitError } from '../base/error.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import { malformed } from '../wire/reader.ts'
import type { VersionFacts } from './entry.ts'
import { failureReason, fileError, isNoSpace } from './disk/file-error.ts'
import { equalBytes, sha256, startSha256, type RunningHash } from './disk/hash.ts'
import type { Target } from './disk/target.ts'
import type { TempFile } from './disk/temp-file.ts'
import { LaneInbox, type Arrival } from './lane-inbox.ts'
import type { Need, Needs } from './needs.ts'
import { readPack, readStreamHead, type PackItem } from './pack.ts'
import type { Pace } from './pace.ts'
import type { Progress } from './progress.ts'
import { circuitEnded, ops } from './protocol.ts'
import { wantsMax, writeWants } from './want.ts'

/**
 * A lane asks for more when less than this is on its way, and for so much that this is on its way: enough for long,
 * fast links.
 */
const lowBytes = 2 * 1024 * 1024
const highBytes = 4 * 1024 * 1024

export interface LaneTools {
  readonly needs: Needs
  readonly target: Target
  readonly pace: Pace
  readonly progress: Progress
  /** Called for each file that could not be had. */
  readonly failed: (path: string, reason: string) => void
  readonly signal: AbortSignal
}

/** A file that is coming as a stream. */
interface Incoming {
  readonly need: Need
  readonly facts: VersionFacts
  readonly size: number
  /** Undefined when it could not be made, or has failed: the rest of the stream is read and dropped. */
  file: TempFile | undefined
  readonly hash: RunningHash
  received: number
}

/** Fetches files over one content circuit: takes needs, asks for them, and puts what comes into its place. */
export class FetchLane {
  readonly #circuit: Circuit
  readonly #inbox: LaneInbox
  readonly #tools: LaneTools
  readonly #askedById = new Map<number, Need>()
  #askedBytes = 0
  #incoming: Incoming | undefined

  constructor(circuit: Circuit, tools: LaneTools) {
    this.#circuit = circuit
    this.#inbox = new LaneInbox(circuit)
    this.#tools = tools
  }

  /**
   * Resolves when all needs are met or have failed, each reported. Rejects when nothing more can come: the circuit has
   * ended, the other side breaks the protocol, the disk is full (`NO_SPACE`), or the signal has fired.
   */
  async run(): Promise<void> {
    const { needs, signal } = this.#tools
    try {
      for (;;) {
        // What came before the circuit ended is still worth having; asking for more is not possible.
        const isOpen = this.#circuit.state === 'open'
        if (isOpen) this.#ask()
        if (this.#askedById.size > 0) await this.#receive()
        else if (needs.over) break
        else if (!isOpen) throw circuitEnded(await this.#circuit.closed)
        else await needs.more(signal)
      }
      await this.#circuit.close()
    } finally {
      await this.#incoming?.file?.discard()
    }
  }

  #ask(): void {
    if (this.#askedBytes >= lowBytes || this.#askedById.size > wantsMax / 2) return
    const wants: Need[] = []
    while (this.#askedById.size < wantsMax && this.#askedBytes < highBytes) {
      const need = this.#tools.needs.take()
      if (need === undefined) break
      wants.push(need)
      this.#askedById.set(need.id, need)
      this.#askedBytes += need.size
    }
    if (wants.length > 0) this.#circuit.send({ op: ops.want, payload: writeWants(wants) })
  }

  async #receive(): Promise<void> {
    const arrival = await this.#inbox.next(this.#tools.signal)
    if (arrival === undefined) throw circuitEnded(await this.#circuit.closed)
    if (arrival.op === ops.data) return this.#append(arrival)
    await this.#take(arrival)
    arrival.release()
  }

  async #take({ op, payload }: Arrival): Promise<void> {
    switch (op) {
      case ops.pack:
        return this.#unpack(payload)
      case ops.head:
        return this.#begin(payload)
      case ops.tail:
        return this.#finish(payload)
      case ops.again:
        return this.#startAgain()
      default:
        throw malformed(`operation ${op} on a circuit for contents`)
    }
  }

  async #unpack(payload: Uint8Array): Promise<void> {
    for (const item of readPack(payload)) {
      const pause = this.#tools.pace.pause()
      if (pause !== undefined) await pause
      const need = this.#answered(item.id)
      this.#attempt(need, () => this.#place(need, item))
    }
  }

  #place(need: Need, item: PackItem): void {
    const { target, progress, failed } = this.#tools
    if (item.kind === 'problem') return failed(need.path, item.reason)
    if (item.kind === 'same') {
      if (need.hash === undefined) throw malformed('a claim that two files are the same without having seen ours')
      target.adjust(need.path, item.facts)
      progress.filesTotal -= 1
      progress.bytesTotal -= need.size
      progress.unchanged += 1
      return
    }
    if (!equalBytes(sha256(item.content), item.hash)) return failed(need.path, damaged)
    target.place(need.path, item.facts, item.content)
    progress.filesDone += 1
    progress.bytesDone += item.content.length
    progress.bytesTotal += item.content.length - need.size
  }

  #begin(payload: Uint8Array): void {
    if (this.#incoming !== undefined) throw malformed('a second file within the stream of a first')
    const { id, facts, size } = readStreamHead(payload)
    const need = this.#askedById.get(id)
    if (need === undefined) throw malformed('a file that nobody asked for')
    this.#incoming = { need, facts, size, file: undefined, hash: startSha256(), received: 0 }
    this.#tools.progress.bytesTotal += size - need.size
    this.#attempt(need, () => {
      if (this.#incoming !== undefined) this.#incoming.file = this.#tools.target.temp()
    })
  }

  #append({ payload, release }: Arrival): void {
    const incoming = this.#expectIncoming()
    incoming.received += payload.length
    if (incoming.received > incoming.size) throw malformed('more of a file than was announced')
    this.#tools.progress.bytesDone += payload.length
    if (incoming.file === undefined) return release()
    incoming.hash.update(payload)
    incoming.file.append(payload, release)
  }

  async #finish(expectedHash: Uint8Array): Promise<void> {
    const incoming = this.#expectIncoming()
    const { need, facts, hash, size, received } = incoming
    if (received !== size) throw malformed('less of a file than was announced')
    const intact = incoming.file !== undefined && equalBytes(hash.digest(), expectedHash)
    await this.#settle(incoming)
    this.#incoming = undefined
    this.#answered(need.id)
    const { file } = incoming
    if (file === undefined) return
    if (!intact) this.#tools.failed(need.path, damaged)
    else if (this.#attempt(need, () => this.#tools.target.placeTemp(file, need.path, facts)))
      this.#tools.progress.filesDone += 1
    // After a success there is nothing left under that name.
    await file.discard()
  }

  /** The file has changed: what came is void; a new head or a problem in a pack follows. */
  async #startAgain(): Promise<void> {
    const { need, file, received, size } = this.#expectIncoming()
    this.#incoming = undefined
    this.#tools.progress.bytesDone -= received
    this.#tools.progress.bytesTotal -= size - need.size
    await file?.discard()
  }

  #expectIncoming(): Incoming {
    if (this.#incoming === undefined) throw malformed('a piece of a file without a beginning')
    return this.#incoming
  }

  #answered(id: number): Need {
    const need = this.#askedById.get(id)
    if (need === undefined) throw malformed('a file that nobody asked for')
    this.#askedById.delete(id)
    this.#askedBytes -= need.size
    return need
  }

  /** Whether `work` on a file went well; a failure is the file's own, unless nothing else could succeed either. */
  #attempt(need: Need, work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      this.#fail(need, error)
      return false
    }
  }

  /** Waits until all of the file is written; a failure is its own again, and leaves nothing of it. */
  async #settle(incoming: Incoming): Promise<void> {
    const { file } = incoming
    try {
      await file?.settled()
    } catch (error) {
      incoming.file = undefined
      await file?.discard()
      this.#fail(incoming.need, error)
    }
  }

  #fail(need: Need, error: unknown): void {
    if (isNoSpace(error)) throw fileError(error, need.path)
    if (PlaitError.is(error)) throw error
    this.#tools.failed(need.path, failureReason(error))
  }
}

const damaged = 'arrived damaged and was not kept; run the same command again'
