import { readNumber, writeNumber } from '../peers/number.ts'
import type { Channel, Handler } from '../peers/peer.ts'

export const requestBytes = 64

/** Sends everything back. */
export function echoTo(channel: Channel): Handler {
  return (bytes, start, end) => void channel.send(bytes, start, end)
}

/** Makes a channel answer every request with what it said. */
export function serveEcho(channel: Channel): void {
  if (channel.echo === undefined) channel.receive(echoTo(channel))
  else channel.echo()
}

/** Requests with an id, a Map entry and a promise each; what any client of a request protocol has to have. */
export class Requester {
  readonly #channel: Channel
  readonly #pendingById = new Map<number, (id: number) => void>()
  readonly #message = new Uint8Array(requestBytes)
  #issued = 0

  constructor(channel: Channel) {
    this.#channel = channel
    if (channel.request === undefined) channel.receive((bytes, start, end) => this.#settle(bytes, start, end))
  }

  /** Resolves to the id that came back. */
  request(): Promise<number> {
    const id = this.#issued++
    if (this.#channel.request !== undefined) return this.#ask(id)
    writeNumber(this.#message, 0, id)
    return new Promise((resolve) => {
      this.#pendingById.set(id, resolve)
      this.#channel.send(this.#message)
    })
  }

  async #ask(id: number): Promise<number> {
    const message = new Uint8Array(requestBytes)
    writeNumber(message, 0, id)
    const answer = await this.#channel.request?.(message)
    if (answer?.length !== requestBytes || readNumber(answer, 0) !== id) throw new Error(`a wrong answer to ${id}`)
    return id
  }

  #settle(bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== requestBytes) throw new Error(`an answer of ${end - start} bytes instead of ${requestBytes}`)
    const id = readNumber(bytes, start)
    const resolve = this.#pendingById.get(id)
    if (resolve === undefined) throw new Error(`an answer to ${id}, which waits for none`)
    this.#pendingById.delete(id)
    resolve(id)
  }
}
