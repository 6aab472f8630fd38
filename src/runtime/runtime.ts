import type { Clock } from './clock.ts'
import type { Disk } from './disk.ts'
import type { Probe } from './probe.ts'
import type { Random } from './random.ts'
import type { Timers } from './timers.ts'

/** The only door to time, chance and disk; `system/` is the real one, `simulated/` its seeded twin. */
export interface Runtime {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly disk: Disk
  readonly probe: Probe
  /** Memory for what will fill it whole before anybody sees it; it need not be cleared. `new Uint8Array` when absent. */
  readonly allocate?: (bytes: number) => Uint8Array
}
