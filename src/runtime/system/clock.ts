import type { Clock } from '../clock.ts'

/** The machine's clocks: the monotonic one for `now`, the wall's for people. */
export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  wallMs: () => Date.now(),
})
