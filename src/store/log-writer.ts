import { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import type { DiskFile } from '../runtime/disk.ts'
import type { Probe } from '../runtime/probe.ts'
import { Batch, BatchBuffers } from './batch.ts'
import { synced, type LogFolder } from './log-folder.ts'
import { bodyLength, commitBytes, recordHeaderBytes, writeBodyHead, type RecordFormat } from './record.ts'
import { segmentHeaderBytes } from './segment.ts'
import type { SegmentTable } from './segment-table.ts'
import type { StoreLimits } from './store-limits.ts'

/** When a commit resolves: at once; when the operating system has all; when it would survive a power cut. */
export type Durability = 'memory' | 'os' | 'disk'

export interface LogWriterOptions {
  readonly folder: LogFolder
  readonly format: RecordFormat
  readonly limits: StoreLimits
  readonly segments: SegmentTable
  readonly probe: Probe
  /** Of the last segment. */
  readonly file: DiskFile
  /** Where the next record goes. All before is synced. */
  readonly end: number
  /** Whether the last record says so. */
  readonly isClean: boolean
}

interface Waiter {
  /** What has to be written or synced. */
  readonly target: number
  readonly resolve: () => void
  readonly reject: (error: PlaitError) => void
}

/** Appends to the last segment of a log: gathers records, and writes and syncs them once for all that wait. */
export class LogWriter {
  readonly #options: LogWriterOptions
  readonly #buffers = new BatchBuffers()
  readonly #osWaiters = new Queue<Waiter>()
  readonly #diskWaiters = new Queue<Waiter>()
  /** What fills while another one is being written. It goes to one segment as a whole, so that no commit is half written. */
  #batch: Batch
  #file: DiskFile
  /** Behind the last record that was taken; behind what is written; behind what is synced. */
  #appended: number
  #written: number
  #safe: number
  #isClean: boolean
  #running: Promise<void> | undefined
  #failure: PlaitError | undefined
  /** The failure of a write that has lost records of which nobody had awaited the commit. */
  #untold: PlaitError | undefined
  #isClosed = false

  constructor(options: LogWriterOptions) {
    this.#options = options
    this.#file = options.file
    this.#appended = options.end
    this.#written = options.end
    this.#safe = options.end
    this.#isClean = options.isClean
    this.#batch = this.#batchAt(options.segments.last.position, options.end, this.#buffers.take())
  }

  get written(): number {
    return this.#written
  }

  get safe(): number {
    return this.#safe
  }

  /** Bytes that were appended and are not written. */
  get pending(): number {
    return this.#appended - this.#written
  }

  /** The first failed sync, after which nothing is taken any more. */
  get failure(): PlaitError | undefined {
    return this.#failure
  }

  /** Takes a record and returns its position. */
  append(kind: number, feed: number, payload: Uint8Array | readonly Uint8Array[]): number {
    const { limits, format } = this.#options
    this.#checkOpen()
    const bodyBytes = bodyLength(kind, feed, payload instanceof Uint8Array ? payload.length : totalLength(payload))
    if (bodyBytes > limits.recordBytes) throw tooLong(bodyBytes, limits.recordBytes)
    const waiting = this.#batch.end - this.#written + recordHeaderBytes + bodyBytes
    if (waiting > limits.pendingBytes && this.#batch.end > this.#written) throw bufferFull(limits.pendingBytes)
    const batch = this.#batch
    // Room for the commit record, too.
    batch.reserve(recordHeaderBytes + bodyBytes + commitBytes)
    const { bytes, used } = batch
    let at = writeBodyHead(bytes, used + recordHeaderBytes, kind, feed)
    if (payload instanceof Uint8Array) bytes.set(payload, at)
    else {
      for (const part of payload) {
        bytes.set(part, at)
        at += part.length
      }
    }
    const position = batch.start + used
    format.seal(bytes, used, bodyBytes, position)
    batch.used = used + recordHeaderBytes + bodyBytes
    this.#appended = batch.end
    return position
  }

  commit(level: Durability): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#untold !== undefined) {
      const untold = this.#untold
      this.#untold = undefined
      // A rejected commit always means that whatever was not written is gone.
      this.#drop()
      return Promise.reject(untold)
    }
    const target = this.#appended
    const reached = level === 'disk' ? this.#safe : level === 'os' ? this.#written : target
    if (this.#written < target || reached < target) this.#kick()
    if (reached >= target) return Promise.resolve()
    const waiters = level === 'disk' ? this.#diskWaiters : this.#osWaiters
    return new Promise((resolve, reject) => {
      waiters.push({ target, resolve, reject })
    })
  }

  /** Takes no more records. */
  stop(): void {
    this.#isClosed = true
  }

  /** Takes no more, writes and syncs what there is, and leaves a commit record that says that all is. */
  async close(): Promise<void> {
    try {
      if (this.#failure !== undefined) return
      this.stop()
      await this.commit('disk')
      await this.#running
      await this.markClean()
    } finally {
      await this.abort()
    }
  }

  /** Takes no more and leaves the rest: rejects all that wait, and ends when the call to the disk does that is under way. */
  async abort(): Promise<void> {
    this.stop()
    this.fail(closed())
    await this.#running
    await this.#file.close()
  }

  /** Leaves a commit record that says that all before it is synced, unless there is one. Nothing may be waiting to be written. */
  async markClean(): Promise<void> {
    if (this.#isClean) return
    const bytes = new Uint8Array(commitBytes)
    this.#options.format.writeCommit(bytes, 0, this.#written, this.#written)
    try {
      await this.#file.write(this.#written - this.#options.segments.last.position, bytes)
      await synced(this.#file.sync())
      this.#written += commitBytes
      this.#safe = this.#written
      this.#isClean = true
    } catch (error) {
      // It costs the next opening a little, and no record.
      await this.#cutBack(PlaitError.from(error, 'FILE_FAILED'))
    }
    this.#drop()
  }

  /** After the first sync that fails nobody knows what is on the disk, and what is written next might stand behind a hole. */
  fail(error: PlaitError): void {
    this.#failure ??= error
    this.#rejectAll(error)
    this.#drop()
  }

  #kick(): void {
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    // Whatever else is committed in this turn goes along.
    await Promise.resolve()
    while (this.#failure === undefined) {
      try {
        const batch = this.#nextBatch()
        if (batch !== undefined) await this.#write(batch)
        else if (this.#diskWaiters.length > 0) await this.#sync()
        else break
        // One sync for all that wait.
        const isWaiting = (this.#diskWaiters.peek()?.target ?? Number.POSITIVE_INFINITY) <= this.#written
        if (isWaiting && this.#safe < this.#written) await this.#sync()
      } catch (error) {
        await this.#cutBack(PlaitError.from(error, 'FILE_FAILED'))
      }
    }
    this.#running = undefined
  }

  /** What has to be written next, with room for its commit record at its end: that is written last, for by then more may be safe. */
  #nextBatch(): Batch | undefined {
    const batch = this.#batch
    if (batch.used === 0) return undefined
    batch.used += commitBytes
    this.#batch = this.#batchAt(batch.segment, batch.end, this.#buffers.take())
    return batch
  }

  /** One for what comes after `end`, in the same segment or, when that is full, in the next one. */
  #batchAt(segment: number, end: number, bytes: Uint8Array): Batch {
    const isFull = end - segment >= this.#options.limits.segmentBytes && end > segment + segmentHeaderBytes
    return isFull ? new Batch(end, end + segmentHeaderBytes, bytes) : new Batch(segment, end, bytes)
  }

  async #write(batch: Batch): Promise<void> {
    const { segments, format } = this.#options
    if (batch.segment !== segments.last.position) await this.#openSegment(batch.segment)
    format.writeCommit(batch.bytes, batch.used - commitBytes, batch.end - commitBytes, this.#safe)
    await this.#file.write(batch.start - batch.segment, batch.bytes.subarray(0, batch.used))
    this.#written = batch.end
    this.#isClean = false
    this.#buffers.give(batch.bytes)
    resolveUpTo(this.#osWaiters, this.#written)
  }

  /** All that stands before a segment is synced before the segment is there. */
  async #openSegment(position: number): Promise<void> {
    const { segments, folder, format, probe } = this.#options
    probe.sometimes('segment filled')
    if (this.#safe < this.#written) await this.#sync()
    const file = await folder.createSegment({ form: 'plain', logId: format.logId, position, end: 0 })
    await this.#file.close()
    this.#file = file
    segments.push({ position, form: 'plain', end: Number.POSITIVE_INFINITY })
    this.#written = position + segmentHeaderBytes
    this.#safe = this.#written
  }

  async #sync(): Promise<void> {
    const target = this.#written
    await synced(this.#file.sync())
    this.#safe = target
    if (this.#diskWaiters.length > 1) this.#options.probe.sometimes('commits shared a sync')
    resolveUpTo(this.#diskWaiters, target)
  }

  /** A write has failed: whatever was not written is gone, and the file ends where it did before. */
  async #cutBack(error: PlaitError): Promise<void> {
    if (error.code === 'STORE_FAILED') return this.fail(error)
    this.#options.probe.sometimes('cut back after a failed write')
    const told = Math.max(this.#osWaiters.last()?.target ?? 0, this.#diskWaiters.last()?.target ?? 0)
    if (told < this.#appended && this.#appended > this.#written) this.#untold = error
    rejectBehind(this.#osWaiters, this.#written, error)
    rejectBehind(this.#diskWaiters, this.#written, error)
    this.#drop()
    try {
      await this.#file.truncate(this.#written - this.#options.segments.last.position)
      await this.#sync()
    } catch (failure) {
      const facts = PlaitError.is(failure) ? failure.facts : {}
      const message = 'what a failed write has left cannot be removed, so the store takes nothing more; open it again'
      this.fail(new PlaitError('STORE_FAILED', message, { cause: failure, facts }))
    }
    return undefined
  }

  #rejectAll(error: PlaitError): void {
    rejectBehind(this.#osWaiters, -1, error)
    rejectBehind(this.#diskWaiters, -1, error)
  }

  /** Forgets what was not written. */
  #drop(): void {
    this.#appended = this.#written
    this.#batch = this.#batchAt(this.#options.segments.last.position, this.#written, this.#batch.bytes)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed()
    if (this.#failure !== undefined) throw this.#failure
  }
}

function resolveUpTo(waiters: Queue<Waiter>, reached: number): void {
  while ((waiters.peek()?.target ?? Number.POSITIVE_INFINITY) <= reached) waiters.shift()?.resolve()
}

function rejectBehind(waiters: Queue<Waiter>, reached: number, error: PlaitError): void {
  const all = [...waiters]
  waiters.clear()
  for (const waiter of all) {
    if (waiter.target <= reached) waiters.push(waiter)
    else waiter.reject(error)
  }
}

function totalLength(parts: readonly Uint8Array[]): number {
  let length = 0
  for (const part of parts) length += part.length
  return length
}

function tooLong(bytes: number, limit: number): PlaitError {
  return new PlaitError('INVALID_ARGUMENT', `a record of ${bytes} bytes is longer than ${limit}; append it in parts`, {
    facts: { bytes, limit },
  })
}

function bufferFull(limit: number): PlaitError {
  return new PlaitError('BUFFER_FULL', `${limit} bytes are appended and not written yet; wait for a commit`, {
    facts: { limit },
  })
}

function closed(): PlaitError {
  return new PlaitError('STORE_CLOSED', 'the store is closed; open it again')
}
