import { PlaitError } from '../../base/error.ts'
import { Queue } from '../../base/queue.ts'
import { defaultLimits } from '../../base/limits.ts'
import { refusals, type RequestMessage } from '../messages.ts'
import { proofNodeCount, proofPositions, type ProofShape } from '../proof-shape.ts'
import { levels } from '../numbering.ts'
import type { Runs } from '../runs.ts'
import type { News } from './news.ts'
import type { RemotePeer, Say, SharedFeed } from './shared-feed.ts'

const { answerBytes, pushBytes, requestBlocks, requestRuns, servedRequests } = defaultLimits
/** What is read and sent at a time; and how many bytes a group has, about. */
const chunkBytes = 128 * 1024

interface Job {
  readonly shared: SharedFeed
  /** 0: a push. */
  readonly number: number
  readonly known: number
  readonly runs: Runs
  readonly bytes: number
  /** Of a push: the first block that the peer was not told of when it was queued. */
  readonly untold: number
  /** What is left to be sent, once the proof is. */
  left: Runs | undefined
  isCancelled: boolean
}

/**
 * Answers the requests of one peer, one after the other, and pushes new blocks. Reads no more than one chunk ahead of what the peer
 * takes.
 */
export class Serving {
  readonly #peer: RemotePeer
  readonly #say: Say
  readonly #news: News
  readonly #jobs = new Queue<Job>()
  readonly #pushes = new Set<SharedFeed>()
  #current: Job | undefined
  #isReading = false
  /** What is done with what was read, as soon as the peer takes it. */
  #goOn: (() => void) | undefined
  #isStepping = false

  /** `news` says what is new to a follower to whom it cannot be pushed. */
  constructor(peer: RemotePeer, say: Say, news: News) {
    this.#peer = peer
    this.#say = say
    this.#news = news
  }

  /** Requests that are not answered to their end. */
  get waiting(): number {
    return this.#jobs.length + (this.#current === undefined ? 0 : 1)
  }

  /** Takes a request; refuses it when too many wait. */
  answer(shared: SharedFeed, { request, fork, known, runs, bytes }: RequestMessage): void {
    const isFull = this.waiting + this.#peer.servedFetches >= servedRequests
    if (isFull && !this.#peer.isWritable) {
      const facts = { limit: servedRequests }
      throw new PlaitError('LIMIT', 'the other side asks for more and takes nothing', { facts, traced: false })
    }
    if (isFull) this.#say(shared, 'refuse', { request, reason: refusals.busy })
    else if (fork !== shared.replica.fork) this.#say(shared, 'refuse', { request, reason: refusals.missing })
    else {
      const most = Math.min(bytes, answerBytes)
      this.#add({ shared, number: request, known, runs, bytes: most, untold: 0, left: undefined, isCancelled: false })
    }
  }

  /** New blocks, if the peer follows; only what it can verify at once. */
  push(shared: SharedFeed): void {
    if (this.#pushes.has(shared)) return
    this.#pushes.add(shared)
    const rest = { left: undefined, isCancelled: false, untold: shared.sentLength }
    this.#add({ shared, number: 0, known: 0, runs: [], bytes: pushBytes, ...rest })
  }

  cancel(shared: SharedFeed, number: number): void {
    for (const job of [this.#current, ...this.#jobs])
      if (job !== undefined && job.shared === shared && job.number === number) job.isCancelled = true
  }

  /** Answers nothing more of a feed that has begun anew: what was asked for is not there any more. */
  drop(shared: SharedFeed): void {
    for (const job of [this.#current, ...this.#jobs]) {
      if (job === undefined || job.shared !== shared || job.isCancelled) continue
      job.isCancelled = true
      if (!shared.isShared || (job.number === 0 && job.left === undefined)) continue
      this.#say(shared, 'refuse', { request: job.number, reason: refusals.missing })
    }
    this.#pushes.delete(shared)
  }

  /** Goes on when the peer takes more. */
  pump(): void {
    if (this.#isStepping) return
    this.#isStepping = true
    while (!this.#isReading && !this.#peer.isGone) {
      if (this.#goOn !== undefined) {
        if (!this.#peer.isWritable) break
        const goOn = this.#goOn
        this.#goOn = undefined
        goOn()
      } else {
        this.#current ??= this.#jobs.shift()
        if (this.#current === undefined) break
        this.#step(this.#current)
      }
    }
    this.#isStepping = false
  }

  #add(job: Job): void {
    this.#jobs.push(job)
    this.pump()
  }

  #step(job: Job): void {
    const { shared } = job
    if (job.isCancelled || !shared.isShared) this.#current = undefined
    else if (job.left !== undefined) this.#sendChunk(job, job.left)
    else if (job.number === 0) this.#beginPush(job)
    else this.#begin(job, held(job))
  }

  #beginPush(job: Job): void {
    const { replica, knownLength } = job.shared
    const end = replica.length
    this.#pushes.delete(job.shared)
    const isPossible = knownLength < end && replica.have.nextHole(knownLength) >= end
    if (!isPossible) return this.#giveUpPush(job)
    // An answer may have proven more meanwhile than it had blocks of.
    if (job.untold < knownLength) this.#news.tellRuns(job.shared, job.untold, knownLength)
    this.#begin({ ...job, known: knownLength }, [knownLength, end])
  }

  /** Finds out how much it is, proves it, and sends the proof. */
  #begin(job: Job, runs: Runs): void {
    const { shared, number } = job
    const { replica } = shared
    if (runs.length === 0) return this.#refuse(job)
    this.#read<{ readonly runs: Runs; readonly bytes: number }>(
      (done) => replica.store.measure(runs, job.bytes, done),
      (measured) => {
        if (measured === undefined) return this.#refuse(job)
        // What is too much for a push is asked for by who wants it.
        if (number === 0 && measured.runs[1] !== runs[1]) return this.#giveUpPush(job)
        const shape = shapeOf(job, measured.runs, measured.bytes, replica.length)
        this.#read<Uint8Array>(
          (done) => replica.store.readNodes(proofPositions(shape), done),
          (nodes) => (nodes === undefined ? this.#refuse(job) : this.#sendProof(job, shape, nodes)),
        )
      },
    )
  }

  #sendProof(job: Job, shape: ProofShape, nodes: Uint8Array): void {
    const { shared, number } = job
    const { fork, head } = shared.replica
    // The shape was of a head that is not the one of now any more: begin anew.
    if (head?.length !== shape.length) return
    this.#news.sayHead(shared)
    const { length, known, groupLevel } = shape
    this.#say(shared, 'proof', {
      request: number,
      fork,
      length,
      known,
      runs: shape.ranges,
      groupLevel,
      nodes,
      last: true,
    })
    shared.knownLength = Math.max(shared.knownLength, length)
    this.#current = { ...job, left: shape.ranges }
  }

  #sendChunk(job: Job, left: Runs): void {
    const { shared, number } = job
    const [start, end, ...rest] = left
    if (start === undefined || end === undefined) return void (this.#current = undefined)
    const stop = Math.min(end, start + defaultLimits.feedRuns)
    this.#read<readonly Uint8Array[]>(
      (done) => shared.replica.store.readBlocks(start, stop, chunkBytes, done),
      (blocks) => {
        if (blocks === undefined) return this.#refuse(job)
        this.#say(shared, 'data', { request: number, blocks })
        const next = start + blocks.length
        this.#current = { ...job, left: next === end ? rest : [next, end, ...rest] }
      },
    )
  }

  #giveUpPush({ shared, untold }: Job): void {
    this.#current = undefined
    if (shared.isShared) this.#news.tellAll(shared, untold)
  }

  #refuse(job: Job): void {
    const { shared, number, left } = job
    if (number === 0 && left === undefined) return this.#giveUpPush(job)
    this.#current = undefined
    if (shared.isShared) this.#say(shared, 'refuse', { request: number, reason: refusals.missing })
  }

  /** One read at a time; what it was for may be gone when it is there. */
  #read<Result>(start: (done: (result?: Result) => void) => void, then: (result?: Result) => void): void {
    const job = this.#current
    this.#isReading = true
    start((result) => {
      this.#isReading = false
      if (this.#peer.isGone) return
      this.#goOn = (): void => {
        if (job?.isCancelled === true) this.#current = undefined
        else then(result)
      }
      this.pump()
    })
  }
}

/** What of a request is here, no more blocks than one answer has. */
function held({ shared, runs }: Job): Runs {
  const { have, length } = shared.replica
  const bounds: number[] = []
  let left = requestBlocks
  for (let at = 0; at < runs.length; at += 2) {
    const room = requestRuns - bounds.length / 2
    const [start, end] = [runs[at] as number, Math.min(length, runs[at + 1] as number)]
    const here = start < end ? have.runs(start, end, room) : []
    for (let run = 0; run < here.length && left > 0; run += 2) {
      const first = here[run] as number
      const stop = Math.min(here[run + 1] as number, first + left)
      bounds.push(first, stop)
      left -= stop - first
    }
  }
  return bounds
}

/**
 * Groups of about a chunk, or none when all is one chunk; and no more runs than the nodes that a proof may have: who asked for more
 * asks again.
 */
function shapeOf(job: Job, runs: Runs, bytes: number, length: number): ProofShape {
  const known = job.known <= length ? job.known : 0
  const blocks = runs.reduce((sum, bound, index) => (index % 2 === 0 ? sum - bound : sum + bound), 0)
  let groupLevel = bytes > chunkBytes ? Math.floor(Math.log2(Math.max(1, (chunkBytes * blocks) / bytes))) : undefined
  let shape: ProofShape = { known, length, ranges: runs, groupLevel }
  const { proofNodes } = defaultLimits
  while (proofNodeCount(shape, proofNodes) > proofNodes) {
    if (groupLevel !== undefined && groupLevel < levels - 1) groupLevel += 1
    const half =
      groupLevel === levels - 1 || groupLevel === undefined ? 2 * Math.floor(shape.ranges.length / 4) : undefined
    shape = { ...shape, groupLevel, ranges: shape.ranges.slice(0, half) }
  }
  return shape
}
