import type { Writable } from 'node:stream'
import { concatBytes } from '../../base/bytes.ts'
import { jsonLine } from '../printable.ts'

/** Small blocks are written together. */
const bufferBytes = 64 * 1024
const newline = Uint8Array.of(0x0a)

export type BlockFormat = 'lines' | 'raw' | 'json'

/** Writes blocks to a stream no faster than somebody reads them. */
export class BlockOutput implements AsyncDisposable {
  /** Fires when nobody reads any more, as in `| head`. */
  readonly gone: AbortSignal
  readonly #stream: Writable
  readonly #format: BlockFormat
  readonly #controller = new AbortController()
  #parts: Uint8Array[] = []
  #bytes = 0
  #timer: ReturnType<typeof setImmediate> | undefined

  constructor(stream: Writable, format: BlockFormat) {
    this.#stream = stream
    this.#format = format
    this.gone = this.#controller.signal
    stream.on('error', this.#fail)
  }

  /** Takes a block. Returns a promise when more should wait for it: it settles when the stream has taken what came before. */
  write(block: Uint8Array, index: number): Promise<void> | undefined {
    for (const part of this.#formatted(block, index)) {
      this.#parts.push(part)
      this.#bytes += part.length
    }
    if (this.#bytes >= bufferBytes) return this.flush()
    // What has come by the end of this turn leaves together.
    this.#timer ??= setImmediate(() => void this.flush())
    return undefined
  }

  /** Resolves when the stream has taken all, or nobody reads any more. */
  flush(): Promise<void> {
    clearImmediate(this.#timer)
    this.#timer = undefined
    const bytes = concatBytes(this.#parts)
    this.#parts = []
    this.#bytes = 0
    if (this.gone.aborted) return Promise.resolve()
    return new Promise((resolve) => this.#stream.write(bytes, () => resolve()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
    this.#stream.off('error', this.#fail)
  }

  *#formatted(block: Uint8Array, index: number): Iterable<Uint8Array> {
    if (this.#format === 'json') yield new TextEncoder().encode(`${blockJson(block, index)}\n`)
    else yield block
    if (this.#format === 'lines') yield newline
  }

  readonly #fail = (error: Error): void => this.#controller.abort(error)
}

/** Text as `text`, what is not UTF-8 as `base64`. */
export function blockJson(block: Uint8Array, index: number): string {
  try {
    return jsonLine({ event: 'block', index, text: strictUtf8.decode(block) })
  } catch {
    const base64 = Buffer.from(block.buffer, block.byteOffset, block.length).toString('base64')
    return jsonLine({ event: 'block', index, base64 })
  }
}

/** With its byte order mark, if it has one: what is written is what was read. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
