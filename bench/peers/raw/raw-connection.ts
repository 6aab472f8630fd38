import type { Socket } from 'node:net'
import type { Channel, Connection, Handler } from '../peer.ts'
import { BatchedWriter } from './batched-writer.ts'
import { FrameReader } from './frame-reader.ts'
import type { FrameWriter } from './frame-writer.ts'
import { UnbatchedWriter } from './unbatched-writer.ts'

/** Numbered streams in a Map over one socket: the least that anyone would write to have more than one conversation. */
export class RawConnection implements Connection {
  readonly #writer: FrameWriter
  readonly #streamsById = new Map<number, RawStream>()
  readonly #accept: ((channel: Channel) => void) | undefined
  #last: RawStream | undefined
  #opened = 0

  constructor(socket: Socket, batched: boolean, accept?: (channel: Channel) => void) {
    this.#writer = batched ? new BatchedWriter(socket) : new UnbatchedWriter(socket)
    this.#accept = accept
    const reader = new FrameReader((stream, bytes, start, end) => this.#deliver(stream, bytes, start, end))
    socket.setNoDelay(true)
    // 'data' and not `onread`: the first is what users write, and the accepting side has no public way to the second.
    socket.on('data', (chunk) => reader.take(chunk))
  }

  open(first?: Uint8Array): Promise<Channel> {
    const stream = this.#add(this.#opened++)
    if (first !== undefined) stream.send(first)
    return Promise.resolve(stream)
  }

  #deliver(id: number, bytes: Uint8Array, start: number, end: number): void {
    let stream = this.#last
    if (stream === undefined || stream.id !== id) {
      stream = this.#streamsById.get(id)
      if (stream === undefined) {
        stream = this.#add(id)
        this.#accept?.(stream)
      }
      this.#last = stream
    }
    stream.handler(bytes, start, end)
  }

  #add(id: number): RawStream {
    const stream = new RawStream(id, this.#writer)
    this.#streamsById.set(id, stream)
    return stream
  }
}

class RawStream implements Channel {
  readonly id: number
  handler: Handler = ignore
  readonly #writer: FrameWriter

  constructor(id: number, writer: FrameWriter) {
    this.id = id
    this.#writer = writer
  }

  send(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
    return this.#writer.send(this.id, bytes, start, end)
  }

  ready(): Promise<void> {
    return this.#writer.ready()
  }

  receive(handler: Handler): void {
    this.handler = handler
  }
}

function ignore(): void {}
