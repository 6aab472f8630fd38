import { PlaitError, type ErrorCode } from '../base/error.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { Peer, PlaitNode } from '../node/node-api.ts'
import { formatAddress, formatUrl } from '../node/url.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { malformed } from '../wire/reader.ts'
import { failureReason, fileError, isNoSpace } from './disk/file-error.ts'
import { proveSecret } from './disk/hash.ts'
import { Target } from './disk/target.ts'
import type { FileEntry, ListingRecord, TreeEntry } from './entry.ts'
import { FetchLane } from './fetch-lane.ts'
import { readListingPage } from './listing.ts'
import { ListingOrder } from './listing-order.ts'
import { Needs } from './needs.ts'
import { Pace } from './pace.ts'
import { startProgress, type Progress } from './progress.ts'
import { circuitEnded, driveService, driveVersion, ops } from './protocol.ts'
import type { ShareLink } from './share-link.ts'

/** Content circuits: so many that small files go on while a large one flows. */
const lanes = 4
/** Files that are listed and not asked for yet; beyond it the listing waits. */
const needsMax = 50_000

export interface CloneOptions {
  readonly node: PlaitNode
  readonly runtime: Pick<Runtime, 'clock' | 'timers'>
  readonly link: ShareLink
  /** Where the drive goes. */
  readonly folder: string
  /**
   * Called when the other side has accepted the secret, before anything is written: the folder must exist when it
   * returns; whether it is new.
   */
  readonly prepare: () => boolean
  /** Called for each entry that could not be had; the rest goes on. Must not throw. */
  readonly onProblem: (problem: CloneProblem) => void
  readonly signal: AbortSignal
}

/** One entry that could not be had. */
export interface CloneProblem {
  /** As the other side named it: to be escaped before it is shown. */
  readonly path: string
  readonly code: ErrorCode
  /** The end of a sentence that begins with the path. */
  readonly reason: string
}

/**
 * Fetches a shared folder into a folder here, once. What is here and right is not fetched; what is here and not there
 * stays.
 */
export class Clone {
  readonly progress: Progress = startProgress()
  readonly #options: CloneOptions
  readonly #peer: Peer
  readonly #pace: Pace
  readonly #needs = new Needs()
  readonly #order = new ListingOrder()
  readonly #stop = new AbortController()
  #nextId = 0

  constructor(options: CloneOptions) {
    this.#options = options
    this.#peer = options.node.peer(driveService)
    this.#pace = new Pace(options.runtime)
  }

  /**
   * Resolves when everything that can be had is here; what could not has been reported. Rejects with the dial's
   * errors, `FORBIDDEN`, `PROTOCOL`, `NO_SPACE`, `FILE_FAILED`, `REMOTE` (the other side stopped), or the signal's
   * reason; then everything that has its name is whole, and the next run goes on from there.
   */
  async run(): Promise<void> {
    const { signal } = this.#options
    const stop = (): void => this.#stop.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    try {
      signal.throwIfAborted()
      await this.#receive()
    } catch (error) {
      // What is still on its way is of no use: nobody waits for it.
      for (const circuit of this.#peer.circuits) circuit.abort()
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#peer.close()
    }
  }

  async #receive(): Promise<void> {
    const listing = await this.#open(ops.list)
    const first = await listing.read({ signal: this.#stop.signal })
    if (first === undefined) throw circuitEnded(await listing.closed)
    const target = new Target(this.#options.folder, { fresh: this.#options.prepare() })
    try {
      await this.#together([
        this.#readListing(listing, first.payload, target),
        ...Array.from({ length: lanes }, () => this.#fetch(target)),
      ])
      await this.#finishDirectories(target)
    } finally {
      target.close()
    }
  }

  /** Waits for all; the first failure stops the others, and is thrown when they have stopped. */
  async #together(works: readonly Promise<void>[]): Promise<void> {
    try {
      await Promise.all(works)
    } catch (error) {
      this.#stop.abort(error)
      await Promise.allSettled(works)
      throw error
    }
  }

  async #fetch(target: Target): Promise<void> {
    const circuit = await this.#open(ops.fetch)
    const lane = new FetchLane(circuit, {
      needs: this.#needs,
      target,
      pace: this.#pace,
      progress: this.progress,
      failed: (path, reason) => this.#report(path, 'FILE_FAILED', reason),
      signal: this.#stop.signal,
    })
    await lane.run()
  }

  async #open(op: number): Promise<Circuit> {
    const { node, link } = this.#options
    const { nodeId, addresses, driveId } = link
    const url = formatUrl({ nodeId, addresses, service: driveService, peerId: driveId })
    const payload = proveSecret(link.secret, { driveId, clientId: node.id, serverId: nodeId })
    try {
      return await this.#peer.open(url, { op, part: driveVersion, payload }, { signal: this.#stop.signal })
    } catch (error) {
      throw explain(error, link)
    }
  }

  async #readListing(circuit: Circuit, firstPage: Uint8Array, target: Target): Promise<void> {
    const { signal } = this.#stop
    for (let payload = firstPage; ;) {
      for (const record of readListingPage(payload)) {
        const pause = this.#pace.pause()
        if (pause !== undefined) await pause
        await this.#take(record, target)
      }
      while (this.#needs.length > needsMax) await this.#needs.room(signal)
      const fragment = await circuit.read({ signal })
      if (fragment === undefined) throw circuitEnded(await circuit.closed)
      if (fragment.op === ops.listed) break
      if (fragment.op !== ops.page) throw malformed(`operation ${fragment.op} on a circuit for listings`)
      payload = fragment.payload
    }
    this.progress.listed = true
    this.#needs.finish()
    await circuit.close()
  }

  /** What one record of the listing asks for is done or noted. */
  async #take(record: ListingRecord, target: Target): Promise<void> {
    this.progress.entries += 1
    if (record.kind === 'skipped') return this.#report(record.path, 'REMOTE', record.reason)
    const refusal = this.#order.problem(record)
    if (refusal !== undefined) return this.#report(record.path, 'PATH_REFUSED', refusal)
    try {
      await this.#apply(record, target)
    } catch (error) {
      if (isNoSpace(error)) throw fileError(error, record.path)
      this.#report(record.path, 'FILE_FAILED', failureReason(error))
    }
  }

  async #apply(entry: TreeEntry, target: Target): Promise<void> {
    if (entry.kind === 'directory') return target.directory(entry)
    if (entry.kind === 'symlink') return void target.link(entry)
    const comparison = target.compare(entry)
    if (comparison === 'different') return this.#need(entry)
    if (comparison === 'doubtful') return this.#need(entry, await hashHere(entry.path, target))
    target.adjust(entry.path, entry)
    this.progress.unchanged += 1
  }

  #need(entry: FileEntry, hash?: Uint8Array): void {
    const { path, size } = entry
    const id = this.#nextId
    this.#nextId += 1
    this.progress.filesTotal += 1
    this.progress.bytesTotal += size
    this.#needs.add(hash === undefined ? { id, path, size } : { id, path, size, hash })
  }

  async #finishDirectories(target: Target): Promise<void> {
    for (const failure of target.finishDirectories()) {
      if (failure !== undefined) this.#report(failure.path, 'FILE_FAILED', failureReason(failure.error))
      const pause = this.#pace.pause()
      if (pause !== undefined) await pause
    }
  }

  #report(path: string, code: ErrorCode, reason: string): void {
    this.progress.failed += 1
    this.#options.onProblem({ path, code, reason })
  }
}

/** A file that cannot be read here is fetched as if it were not here. */
async function hashHere(path: string, target: Target): Promise<Uint8Array | undefined> {
  try {
    const file = target.read(path)
    try {
      return await file.hash()
    } finally {
      file.close()
    }
  } catch {
    return undefined
  }
}

/** The errors of a dial in the words of who has a share link. */
function explain(error: unknown, link: ShareLink): unknown {
  if (!PlaitError.is(error)) return error
  const message = explanations.get(error.code)
  if (message === undefined) return error
  const addresses = link.addresses.map(formatAddress).join(', ')
  return new PlaitError(error.code, message.replace('ADDRESSES', addresses), { facts: error.facts, cause: error })
}

const goneMessage =
  'the node of this link is up, but does not share that folder now; start `plait share` there again, or ask for its present link'

const explanations: ReadonlyMap<ErrorCode, string> = new Map([
  [
    'UNREACHABLE',
    'nobody answers at ADDRESSES; see that `plait share` is running there, and that this machine can reach it',
  ],
  [
    'WRONG_KEY',
    'another node than the one of this link answers at ADDRESSES; ask for the present link, and use no other',
  ],
  [
    'WRONG_NETWORK',
    'the sharing side and this one are not in the same private network; give both the same file with --psk, or neither',
  ],
  ['SELF_DIAL', 'this link leads back to this very node; clone on another machine, or into another folder'],
  ['UNKNOWN_PEER', goneMessage],
  ['UNKNOWN_SERVICE', goneMessage],
])
