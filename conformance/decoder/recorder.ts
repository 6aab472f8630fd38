import type { Link, LinkHandlers, Transport } from 'plait'
import type { RecordedLink, Recording, Side } from './recording.ts'
import { hexOf, other } from './recording.ts'

interface Bytes {
  readonly written: Uint8Array[]
  readonly read: Uint8Array[]
}

interface Entry {
  readonly binding: Uint8Array
  readonly dialler: Side
  readonly ends: Readonly<Record<Side, Bytes>>
}

/** Stands between two nodes and their links, and keeps what goes through. */
export class Recorder {
  readonly nodeIds: Record<Side, string> = { a: '', b: '' }
  readonly #entriesByBinding = new Map<string, Entry>()

  /** The same transport, for the node that is called `side`. */
  around(transport: Transport, side: Side): Transport {
    return {
      scheme: transport.scheme,
      dial: async (address, options) => this.#record(await transport.dial(address, options), side),
      listen: (address, accept) => transport.listen(address, (link) => accept(this.#record(link, side))),
    }
  }

  /** What the nodes have written, whether it has arrived or not. */
  get written(): Recording {
    return this.#recording(({ ends }, side) => ends[side].written)
  }

  /** What has arrived at the other end. */
  get read(): Recording {
    return this.#recording(({ ends }, side) => ends[other(side)].read)
  }

  #recording(chunks: (entry: Entry, side: Side) => readonly Uint8Array[]): Recording {
    const links = [...this.#entriesByBinding.values()].map((entry): RecordedLink => ({
      dialler: entry.dialler,
      binding: entry.binding,
      said: { a: joined(chunks(entry, 'a')), b: joined(chunks(entry, 'b')) },
    }))
    return { nodeIds: this.nodeIds, links }
  }

  #record(link: Link, side: Side): Link {
    this.nodeIds[other(side)] = link.remoteId
    const key = hexOf(link.binding)
    const entry = this.#entriesByBinding.get(key) ?? {
      binding: link.binding.slice(),
      dialler: link.dialled ? side : other(side),
      ends: { a: { written: [], read: [] }, b: { written: [], read: [] } },
    }
    this.#entriesByBinding.set(key, entry)
    return new TappedLink(link, entry.ends[side])
  }
}

class TappedLink implements Link {
  readonly #link: Link
  readonly #bytes: Bytes

  constructor(link: Link, bytes: Bytes) {
    this.#link = link
    this.#bytes = bytes
  }

  get remoteId(): Link['remoteId'] {
    return this.#link.remoteId
  }

  get binding(): Uint8Array {
    return this.#link.binding
  }

  get dialled(): boolean {
    return this.#link.dialled
  }

  get remoteAddress(): string {
    return this.#link.remoteAddress
  }

  get pendingBytes(): number {
    return this.#link.pendingBytes
  }

  attach(handlers: LinkHandlers): void {
    this.#link.attach({
      data: (bytes) => {
        this.#bytes.read.push(bytes.slice())
        handlers.data(bytes)
      },
      drain: () => handlers.drain(),
      close: (error) => handlers.close(error),
    })
  }

  write(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#bytes.written.push(chunk.slice())
    this.#link.write(chunks)
  }

  close(): void {
    this.#link.close()
  }

  abort(reason?: Parameters<Link['abort']>[0]): void {
    this.#link.abort(reason)
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
