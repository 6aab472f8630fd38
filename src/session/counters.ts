/** What a session has done so far; kept by whoever does it. */
export interface Counters {
  circuitsOpened: number
  circuitsClosed: number
  circuitsRefused: number
  fragmentsSent: number
  fragmentsReceived: number
  errorsSent: number
  errorsReceived: number
  bytesSent: number
  bytesReceived: number
  writes: number
}

export function createCounters(): Counters {
  return {
    circuitsOpened: 0,
    circuitsClosed: 0,
    circuitsRefused: 0,
    fragmentsSent: 0,
    fragmentsReceived: 0,
    errorsSent: 0,
    errorsReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    writes: 0,
  }
}
