const headerBytes = 16

/** What the header of an operation says; the rest cannot be packed. */
export interface Payload {
  /** False for an order to everybody to write down its hash. */
  readonly isData: boolean
  readonly writer: number
  readonly place: number
  /** When it was published, in milliseconds of the machine's clock. */
  readonly sentMs: number
}

export class PayloadWriter {
  readonly #noise: Uint8Array
  readonly #bytes: number

  constructor(bytes: number) {
    if (bytes < headerBytes) throw new Error(`an operation has ${headerBytes} bytes at least`)
    this.#bytes = bytes
    this.#noise = crypto.getRandomValues(new Uint8Array(Math.min(65_536, 64 * bytes)))
  }

  /** A new array, which belongs to the caller. */
  write({ isData, writer, place, sentMs }: Payload): Uint8Array {
    const start = (place * 61) % (this.#noise.length - this.#bytes)
    const bytes = this.#noise.slice(start, start + this.#bytes)
    const view = new DataView(bytes.buffer)
    view.setUint8(0, isData ? 1 : 0)
    view.setUint8(1, writer)
    view.setUint32(2, place)
    view.setFloat64(8, sentMs)
    return bytes
  }
}

export function readPayload(bytes: Uint8Array): Payload {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [writer, place] = [view.getUint8(1), view.getUint32(2)]
  return { isData: view.getUint8(0) === 1, writer, place, sentMs: view.getFloat64(8) }
}
