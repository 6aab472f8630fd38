import type { CircuitContext, Section } from '../circuit/circuit-api.ts'
import { createMessageCounters } from './counters.ts'
import type { MessageCounters } from './counters.ts'
import { Histogram } from './histogram.ts'
import type { HistogramSnapshot } from './histogram.ts'

/** What the messages of a node have come to. */
export interface MessageStats extends Readonly<MessageCounters> {
  readonly streamsLive: number
  /** From each request of this node to its answer. */
  readonly latency: HistogramSnapshot
}

/** The counters that all messengers of a node share. */
export class MessageSection implements Section {
  readonly counters: MessageCounters = createMessageCounters()
  readonly latency: Histogram = new Histogram()

  static of(context: CircuitContext): MessageSection {
    return context.section('messages', () => new MessageSection())
  }

  read(): MessageStats {
    const { counters } = this
    return {
      ...counters,
      streamsLive: counters.streamsOpened - counters.streamsClosed,
      latency: this.latency.read(),
    }
  }
}
