import type { Identity } from '../identity/identity.ts'
import type { LinkAddress, Link } from '../link/link.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { SimulatedDisk } from '../runtime/simulated/disk.ts'
import type { SeededRandom } from '../runtime/simulated/random.ts'
import type { Scope } from '../runtime/simulated/scheduler.ts'
import type { SimulatedLink } from './simulated-link.ts'

/** A machine of the world, with one identity and room for one process. */
export interface Host {
  readonly name: string
  /** Its place in the trace, from 0. */
  readonly number: number
  /** `10.0.0.N`; nothing else is an address here. */
  readonly address: string
  readonly identity: Identity
  /** Survives its processes; a power cut takes what was not synced. */
  readonly disk: SimulatedDisk
  /** From which the chance of each of its processes is drawn. */
  readonly random: SeededRandom
  /** False after a power cut and before the restart: nothing answers then, not even with a refusal. */
  isPowered: boolean
  /** Processes that have run here. */
  epochs: number
  /** How often something was done to this host that ends sessions. */
  ends: number
  /** What runs here now. */
  process: Process | undefined
}

/** One run of a program on a host: when it has ended, nothing of it happens any more. */
export interface Process {
  readonly host: Host
  /** Counts the runs on this host, from 1. */
  readonly epoch: number
  /** Of its timers; ended when the process has. */
  readonly scope: Scope
  /** Its clock, timers, chance and disk: for whatever the process runs besides plait. */
  readonly runtime: Runtime
  /** Links of which one end is here. */
  readonly links: Set<SimulatedLink>
  /** Its listeners. */
  readonly acceptsByPort: Map<number, (link: Link) => void>
}

/** Where a process listens if it does not say. */
export const defaultPort = 7_000

/** The address of a host's default port. */
export function addressOf(host: Host): LinkAddress {
  return { host: host.address, port: defaultPort }
}
