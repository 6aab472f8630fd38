import { silentProbe, type Probe } from '../probe.ts'
import type { Runtime } from '../runtime.ts'
import { systemClock } from './clock.ts'
import { systemDisk } from './disk.ts'
import { allocateUncleared } from './memory.ts'
import { systemRandom } from './random.ts'
import { systemTimers } from './timers.ts'

export interface SystemRuntimeOptions {
  /** Directory below which `disk` works; the current one when absent. It must exist. */
  readonly root?: string
  readonly probe?: Probe
}

/** The real world: this machine's clock, timers, randomness and disk. */
export function systemRuntime(options: SystemRuntimeOptions = {}): Runtime {
  return {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom(),
    disk: systemDisk(options.root ?? '.'),
    probe: options.probe ?? silentProbe,
    allocate: allocateUncleared,
  }
}
