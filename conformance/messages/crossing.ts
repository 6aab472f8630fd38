import type { MessageStream } from 'plait'
import { closings, type Crossed, type Crossing } from './types.ts'

/** Milliseconds since 1970 with a fraction: all processes of a machine have the same. */
export function sharedNow(): number {
  return performance.timeOrigin + performance.now()
}

/** Streams that one end closes all at the same moment, which the other end knows too. */
export class Crossings {
  readonly crossed: Crossed = { opened: 0, closed: 0, fired: 0, astray: 0 }
  readonly #side: 'near' | 'far'
  readonly #streams: { readonly said: Crossing; readonly stream: MessageStream<Crossing, Crossing> }[] = []

  constructor(side: 'near' | 'far') {
    this.#side = side
  }

  /** Sends the number of the stream, and expects no other one. */
  add(said: Crossing, stream: MessageStream<Crossing, Crossing>): void {
    const { crossed } = this
    crossed.opened += 1
    void stream.closed.then(() => (crossed.closed += 1))
    stream.signal.addEventListener('abort', () => (crossed.fired += 1))
    stream.receive((row) => {
      if (row.index !== said.index) crossed.astray += 1
    })
    stream.send(said)
    this.#streams.push({ said, stream })
  }

  /** Waits for the moment, without a turn of the event loop, and closes all. */
  closeAt(closeAt: number): void {
    while (sharedNow() < closeAt);
    for (const { said, stream } of this.#streams.splice(0)) {
      // It is over where the other end's close was faster.
      if (!stream.signal.aborted) stream.send(said)
      const how = closings[said.index % closings.length]
      if (how !== undefined) stream[how[this.#side]]()
    }
  }
}
