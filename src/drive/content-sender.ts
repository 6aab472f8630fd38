import { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import { Waiters } from '../base/waiters.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Timers } from '../runtime/timers.ts'
import { malformed } from '../wire/reader.ts'
import type { Directory } from './disk/directory.ts'
import { DirectoryTree } from './disk/directory-tree.ts'
import { failureReason } from './disk/file-error.ts'
import { freshBytes } from './disk/fresh-bytes.ts'
import { equalBytes, sha256, startSha256 } from './disk/hash.ts'
import { SourceFile } from './disk/source-file.ts'
import { Pack, packBytes, smallFileBytes, writeStreamHead } from './pack.ts'
import type { Pace } from './pace.ts'
import { dataBytes, ops } from './protocol.ts'
import { StreamWindow } from './stream-window.ts'
import { baseName, parentPath, pathProblem } from './tree-path.ts'
import { wantsMax, type Want } from './want.ts'

/**
 * How often a file that changes while it is read is read again, and how long after; each wait is twice the one before.
 */
const attemptsMax = 6
const firstWaitMs = 40

const restless = 'keeps changing while it is read; clone again when it is quiet'

/** What became of a want: answered, or to be tried again because the file has just changed. */
type Outcome = 'answered' | 'again'

export interface SenderTools {
  readonly pace: Pace
  readonly clock: Clock
  readonly timers: Timers
}

/**
 * Answers wants on one content circuit: small files many to a fragment, large ones as streams, each a version that
 * really was there.
 */
export class ContentSender {
  readonly #circuit: Circuit
  readonly #tree: DirectoryTree
  readonly #tools: SenderTools
  readonly #window = new StreamWindow()
  readonly #asked = new Queue<readonly Want[]>()
  readonly #wake = new Waiters()
  /** Wants that are not answered yet. */
  #open = 0
  #ended = false
  #failure: unknown
  #pack: Pack | undefined

  /** `root` stays the caller's. */
  constructor(circuit: Circuit, root: Directory, tools: SenderTools) {
    this.#circuit = circuit
    this.#tree = new DirectoryTree(root)
    this.#tools = tools
  }

  /** Takes wants. Throws `PROTOCOL` when there are more than `wantsMax` without an answer. */
  ask(wants: readonly Want[]): void {
    this.#open += wants.length
    if (this.#open > wantsMax) throw malformed(`more than ${wantsMax} wants at a time`)
    this.#asked.push(wants)
    this.#wake.wake()
  }

  /** The receiver has done with the first `count` data fragments. Throws `PROTOCOL` for what cannot be. */
  returned(count: number): void {
    this.#window.noteReturned(count)
  }

  /** No more wants will come. With a reason nothing more is answered either. */
  end(reason?: unknown): void {
    this.#ended = true
    this.#failure = reason
    this.#window.end(reason ?? new PlaitError('CIRCUIT_CLOSED', 'the receiver has closed the circuit'))
    this.#wake.wake()
  }

  /** Answers wants as they come, until all are answered and no more will come. Rejects with the reason of `end`. */
  async run(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure as Error
      const wants = this.#asked.shift()
      if (wants !== undefined) await this.#answer(wants)
      else if (this.#ended) return
      else await this.#wake.wait()
    }
  }

  async #answer(wants: readonly Want[]): Promise<void> {
    try {
      let left = wants
      let waitMs = firstWaitMs
      for (let attempt = 1; left.length > 0; attempt += 1) {
        left = await this.#round(left, attempt === attemptsMax)
        if (left.length === 0) break
        // What was packed must not wait for what changes.
        await this.#flush()
        await this.#wait(waitMs)
        waitMs *= 2
      }
      await this.#flush()
    } finally {
      // Names may mean other directories by the time of the next wants.
      this.#tree.clear()
    }
  }

  /** One attempt at each want; resolves to those that need another one. */
  async #round(wants: readonly Want[], last: boolean): Promise<readonly Want[]> {
    const again: Want[] = []
    for (const want of wants) {
      const pause = this.#tools.pace.pause()
      if (pause !== undefined) await pause
      const outcome = await this.#attempt(want)
      if (outcome === 'again' && !last) {
        again.push(want)
        continue
      }
      if (outcome === 'again') await this.#problem(want.id, restless)
      this.#open -= 1
    }
    return again
  }

  async #attempt(want: Want): Promise<Outcome> {
    const refusal = pathProblem(want.path)
    if (refusal !== undefined) return this.#problem(want.id, refusal)
    let file: SourceFile
    try {
      file = SourceFile.open(this.#tree.open(parentPath(want.path)), baseName(want.path))
    } catch (error) {
      return this.#problem(want.id, failureReason(error))
    }
    try {
      if (!file.settled(this.#tools.clock.wallMs())) return 'again'
      return file.size <= smallFileBytes ? await this.#packFile(want, file) : await this.#streamFile(want, file)
    } finally {
      file.close()
    }
  }

  async #packFile(want: Want, file: SourceFile): Promise<Outcome> {
    const pack = await this.#packFor(file.size)
    let same = false
    let failure: unknown
    const added = pack.file(want.id, file.facts, file.size, (place) => {
      try {
        if (!file.readAll(place) || !file.unchanged()) return undefined
      } catch (error) {
        failure = error
        return undefined
      }
      const hash = sha256(place)
      same = want.hash !== undefined && equalBytes(want.hash, hash)
      return same ? undefined : hash
    })
    if (failure !== undefined) return this.#problem(want.id, failureReason(failure))
    if (same) pack.same(want.id, file.facts)
    return added || same ? 'answered' : 'again'
  }

  async #streamFile(want: Want, file: SourceFile): Promise<Outcome> {
    if (want.hash !== undefined && (await this.#isSame(file, want.hash))) {
      const pack = await this.#packFor(0)
      pack.same(want.id, file.facts)
      return 'answered'
    }
    await this.#flush()
    await this.#send(ops.head, writeStreamHead({ id: want.id, facts: file.facts, size: file.size }))
    const hash = startSha256()
    try {
      for await (const bytes of wholeBlocks(file, this.#window)) {
        hash.update(bytes)
        this.#window.noteSent()
        await this.#send(ops.data, bytes)
      }
    } catch (error) {
      if (this.#ended) throw error
      await this.#send(ops.again)
      if (error instanceof FileChanged) return 'again'
      return this.#problem(want.id, failureReason(error))
    }
    await this.#send(ops.tail, hash.digest())
    return 'answered'
  }

  async #isSame(file: SourceFile, expected: Uint8Array): Promise<boolean> {
    try {
      return equalBytes(await file.hash(), expected)
    } catch {
      // Whatever is wrong with the file shows again, and is answered, when it is sent.
      return false
    }
  }

  async #problem(id: number, reason: string): Promise<Outcome> {
    const pack = await this.#packFor(0)
    pack.problem(id, reason)
    return 'answered'
  }

  /** The pack with room for one more item. */
  async #packFor(contentBytes: number): Promise<Pack> {
    if (this.#pack !== undefined && !this.#pack.fits(contentBytes)) await this.#flush()
    this.#pack ??= new Pack(freshBytes(packBytes))
    return this.#pack
  }

  async #flush(): Promise<void> {
    const pack = this.#pack
    this.#pack = undefined
    if (pack !== undefined && pack.count > 0) await this.#send(ops.pack, pack.take())
  }

  async #send(op: number, payload?: Uint8Array): Promise<void> {
    if (!this.#circuit.send(payload === undefined ? { op } : { op, payload })) await this.#circuit.ready()
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#tools.timers.after(delayMs, resolve))
  }
}

/** The file has changed since it was opened. */
class FileChanged extends Error {}

/**
 * The content of a large file in blocks, each in the window's buffer for it, and the next one being read while the caller
 * sends one. Throws `FileChanged` as soon as the file is no longer the version that was opened; when it ends without, all
 * the blocks were that version.
 */
async function* wholeBlocks(file: SourceFile, window: StreamWindow): AsyncGenerator<Uint8Array, void> {
  const read = async (number: number, offset: number): Promise<Uint8Array> => {
    const buffer = await window.buffer(number)
    const place = buffer.subarray(0, Math.min(dataBytes, file.size - offset))
    return place.subarray(0, await file.read(place, offset))
  }
  let number = window.sent
  let next = read(number, 0)
  try {
    for (let offset = 0; offset < file.size;) {
      const bytes = await next
      offset += bytes.length
      if (bytes.length === 0 || !file.unchanged()) throw new FileChanged()
      number += 1
      if (offset < file.size) {
        next = read(number, offset)
        // Its failure is met when it is waited for, which may be a while after.
        next.catch(() => {})
      }
      yield bytes
    }
  } finally {
    // The descriptor must not be closed, and perhaps opened for something else, under a read that is still on its way.
    await next.catch(() => {})
  }
}
