import type { ErrorCode, PlaitError } from '../base/error.ts'
import { createCounters } from '../session/counters.ts'
import type { Counters } from '../session/counters.ts'
import type { NodeStats } from './node-api.ts'

/** Ends of connections that came in which are no refusal: the dialler has changed its mind, or another link of its won. */
const harmlessCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DUPLICATE',
  'GOING_AWAY',
  'LINK_LOST',
  'NODE_CLOSED',
])

/** Counts over the life of a node: those of sessions that are over are added up, live ones are asked. */
export class Stats {
  sessionsOpened = 0
  sessionsClosed = 0
  sessionsRefused = 0
  readonly #past = createCounters()

  /** A connection came in, and no session came of it. */
  refuse(error: PlaitError): void {
    if (!harmlessCodes.has(error.code)) this.sessionsRefused += 1
  }

  /** A connection is over; what it has counted is kept. */
  keep(counters: Counters): void {
    add(this.#past, counters)
  }

  read(live: Iterable<{ readonly counters: Counters }>): Omit<NodeStats, 'sections'> {
    const sum = createCounters()
    add(sum, this.#past)
    for (const { counters } of live) add(sum, counters)
    return {
      sessions: {
        opened: this.sessionsOpened,
        closed: this.sessionsClosed,
        live: this.sessionsOpened - this.sessionsClosed,
        refused: this.sessionsRefused,
      },
      circuits: {
        opened: sum.circuitsOpened,
        closed: sum.circuitsClosed,
        live: sum.circuitsOpened - sum.circuitsClosed,
        refused: sum.circuitsRefused,
      },
      fragments: {
        sent: sum.fragmentsSent,
        received: sum.fragmentsReceived,
        errorsSent: sum.errorsSent,
        errorsReceived: sum.errorsReceived,
      },
      bytes: { sent: sum.bytesSent, received: sum.bytesReceived },
      writes: sum.writes,
    }
  }
}

function add(sum: Counters, counters: Counters): void {
  for (const name of Object.keys(sum) as (keyof Counters)[]) sum[name] += counters[name]
}
