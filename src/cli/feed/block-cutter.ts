import { concatBytes } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'

/** Cuts a stream of bytes into blocks. What it gives out may be views of what it was given. */
export interface BlockCutter {
  /** The blocks that are complete with these bytes; it throws `LIMIT` behind the last one that can be, and is of no use then. */
  push(bytes: Uint8Array): Iterable<Uint8Array>
  /** What is left when the stream has ended. */
  end(): Iterable<Uint8Array>
}

const { feedBlockBytes } = defaultLimits
const newline = 0x0a

/** One block for each line, without its newline; what follows on the last newline is a line too, unless it is empty. */
export class LineCutter implements BlockCutter {
  readonly #rest = new Rest()
  #line = 1;

  *push(bytes: Uint8Array): Iterable<Uint8Array> {
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      this.#check(end - start)
      yield this.#rest.take(bytes.subarray(start, end))
      this.#line += 1
      start = end + 1
    }
    this.#check(bytes.length - start)
    this.#rest.add(bytes.subarray(start))
  }

  *end(): Iterable<Uint8Array> {
    if (this.#rest.bytes > 0) yield this.#rest.take(new Uint8Array(0))
  }

  #check(more: number): void {
    if (this.#rest.bytes + more <= feedBlockBytes) return
    throw new PlaitError(
      'LIMIT',
      `line ${this.#line} is longer than a block may be (${feedBlockBytes} bytes); the lines before it are appended; use --blocks SIZE for what has no lines`,
      { facts: { limit: feedBlockBytes, line: this.#line } },
    )
  }
}

/** Blocks of `size` bytes; the last one has what is left. */
export class SizeCutter implements BlockCutter {
  readonly #rest = new Rest()
  readonly #size: number

  constructor(size: number) {
    this.#size = size
  }

  *push(bytes: Uint8Array): Iterable<Uint8Array> {
    let start = 0
    while (this.#rest.bytes + bytes.length - start >= this.#size) {
      const end = start + this.#size - this.#rest.bytes
      yield this.#rest.take(bytes.subarray(start, end))
      start = end
    }
    this.#rest.add(bytes.subarray(start))
  }

  *end(): Iterable<Uint8Array> {
    if (this.#rest.bytes > 0) yield this.#rest.take(new Uint8Array(0))
  }
}

/** All of it as one block, also when it is empty. */
export class WholeCutter implements BlockCutter {
  readonly #rest = new Rest()

  push(bytes: Uint8Array): Iterable<Uint8Array> {
    if (this.#rest.bytes + bytes.length > feedBlockBytes) {
      throw new PlaitError(
        'LIMIT',
        `standard input is longer than a block may be (${feedBlockBytes} bytes), and nothing is appended; use --blocks SIZE`,
        { facts: { limit: feedBlockBytes } },
      )
    }
    this.#rest.add(bytes)
    return []
  }

  *end(): Iterable<Uint8Array> {
    yield this.#rest.take(new Uint8Array(0))
  }
}

/** The beginning of a block whose end has not come yet. */
class Rest {
  #parts: Uint8Array[] = []
  bytes = 0

  add(part: Uint8Array): void {
    if (part.length === 0) return
    this.#parts.push(part)
    this.bytes += part.length
  }

  /** All of it, and this behind it. */
  take(last: Uint8Array): Uint8Array {
    if (this.bytes === 0) return last
    const whole = concatBytes([...this.#parts, last])
    this.#parts = []
    this.bytes = 0
    return whole
  }
}
