import { jsonLine } from '../printable.ts'
import { Rate } from '../rate.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes } from '../units.ts'
import type { FeedHost } from './feed-host.ts'

const renewMs = 500

/** While feeds are served: who comes and goes, and on a terminal a live line with what is moved. */
export class ServeReport implements Disposable {
  readonly #host: FeedHost
  readonly #terminal: Terminal
  readonly #sent = new Rate()
  readonly #received = new Rate()
  readonly #timer: ReturnType<typeof setInterval> | undefined

  constructor(host: FeedHost, { terminal, json }: { terminal: Terminal; json: boolean }) {
    this.#host = host
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
    const { node, opened } = this.#host
    if (node === undefined) return
    const { bytes, sessions } = node.stats()
    this.#sent.add(performance.now(), 0, bytes.sent)
    this.#received.add(performance.now(), 0, bytes.received)
    const feeds = [...opened]
    const sum = (value: (feed: (typeof feeds)[number]) => number): number =>
      feeds.reduce((total, feed) => total + value(feed), 0)
    const parts = [
      countOf(feeds.length, 'feed'),
      `${countOf(
        sum(({ length }) => length),
        'block',
      )} (${formatBytes(sum((feed) => feed.bytes))})`,
      countOf(sessions.live, 'peer'),
      `${formatBytes(this.#sent.bytesPerSecond)}/s sent`,
      `${formatBytes(this.#received.bytesPerSecond)}/s received`,
    ]
    this.#terminal.live(parts.join(', '))
  }
}
