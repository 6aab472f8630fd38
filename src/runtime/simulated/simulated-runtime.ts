import type { Clock } from '../clock.ts'
import type { Disk } from '../disk.ts'
import type { Probe } from '../probe.ts'
import type { Random } from '../random.ts'
import type { Runtime } from '../runtime.ts'
import type { Timers } from '../timers.ts'
import { SimulatedDisk } from './disk.ts'
import { CountingProbe } from './probe.ts'
import { SeededRandom } from './random.ts'
import { Scheduler, type Scope } from './scheduler.ts'

export interface SimulatedRuntimeOptions {
  /** Shared by all that live in one world; a new one when absent. */
  readonly scheduler?: Scheduler
  /** The process that this runtime belongs to: when it has ended none of its timers fires any more. */
  readonly scope?: Scope
  readonly random?: Random
  readonly disk?: Disk
  readonly probe?: Probe
  /** What the wall's clock shows at virtual time 0, in milliseconds since 1970. */
  readonly wallOriginMs?: number
  /** Added to the delay of each timer: real ones are late, and up to a millisecond early. 0 when absent. */
  readonly timerErrorMs?: () => number
}

/** 2026-01-01, so that a date in a simulation looks like one. */
const defaultWallOriginMs = 1_767_225_600_000

/** A runtime whose time, chance and disk depend on what it is given alone. */
export function simulatedRuntime(options: SimulatedRuntimeOptions = {}): Runtime {
  const scheduler = options.scheduler ?? new Scheduler()
  return {
    clock: simulatedClock(scheduler, options.wallOriginMs ?? defaultWallOriginMs),
    timers: simulatedTimers(scheduler, options.scope, options.timerErrorMs),
    random: options.random ?? new SeededRandom(0),
    disk: options.disk ?? new SimulatedDisk(),
    probe: options.probe ?? new CountingProbe(),
  }
}

function simulatedClock(scheduler: Scheduler, wallOriginMs: number): Clock {
  return {
    now: () => scheduler.now,
    wallMs: () => Math.floor(wallOriginMs + scheduler.now),
  }
}

/** As in the system, a delay is a whole number of milliseconds and at least one. */
function simulatedTimers(
  scheduler: Scheduler,
  scope: Scope | undefined,
  timerErrorMs: (() => number) | undefined,
): Timers {
  return {
    after: (delayMs, fire) => {
      const error = timerErrorMs === undefined ? 0 : timerErrorMs()
      return scheduler.at(scheduler.now + Math.max(0, Math.max(1, Math.ceil(delayMs)) + error), fire, scope)
    },
    endOfTurn: (run) => scheduler.endOfTurn(run, scope),
  }
}
