import { jsonLine } from '../printable.ts'
import { Rate } from '../rate.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes } from '../units.ts'
import type { FeedHost } from './feed-host.ts'

const renewMs = 500

/** While feeds or groups are served: who comes and goes, and on a terminal a live line with what is moved. */
export class ServeReport implements Disposable {
  readonly #host: FeedHost
  readonly #terminal: Terminal
  readonly #sent = new Rate()
  readonly #received = new Rate()
  readonly #timer: ReturnType<typeof setInterval> | undefined
  readonly #served: () => readonly string[]

  /** `served`: what there is, in words; the feeds when absent. */
  constructor(
    host: FeedHost,
    { terminal, json, served }: { terminal: Terminal; json: boolean; served?: () => readonly string[] },
  ) {
    this.#host = host
    this.#served = served ?? (() => feedsServed(host))
    this.#terminal = terminal
    const tell = (event: string, nodeId: string, message: string): void =>
      json ? terminal.print(jsonLine({ event, nodeId })) : terminal.note(`${nodeId.slice(0, 8)}... ${message}`)
    host.node?.addEventListener('session', ({ detail }) => tell('connected', detail.remoteId, 'is connected'))
    host.node?.addEventListener('sessionend', ({ detail }) => {
      if (!host.isClosing) tell('disconnected', detail.remoteId, 'is gone')
    })
    if (terminal.interactive && !json) this.#timer = setInterval(() => this.#renew(), renewMs)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#terminal.live('')
  }

  #renew(): void {
    const { node } = this.#host
    if (node === undefined) return
    const { bytes, sessions } = node.stats()
    this.#sent.add(performance.now(), 0, bytes.sent)
    this.#received.add(performance.now(), 0, bytes.received)
    const parts = [
      ...this.#served(),
      countOf(sessions.live, 'peer'),
      `${formatBytes(this.#sent.bytesPerSecond)}/s sent`,
      `${formatBytes(this.#received.bytesPerSecond)}/s received`,
    ]
    this.#terminal.live(parts.join(', '))
  }
}

function feedsServed({ opened }: FeedHost): readonly string[] {
  const feeds = [...opened]
  const blocks = feeds.reduce((sum, { length }) => sum + length, 0)
  const bytes = feeds.reduce((sum, feed) => sum + feed.bytes, 0)
  return [countOf(feeds.length, 'feed'), `${countOf(blocks, 'block')} (${formatBytes(bytes)})`]
}
