import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { programResumeMs } from '../connection-report.ts'
import { wholeNumber } from '../flag-values.ts'
import { stateDirectory } from '../drive/copy-state.ts'
import { metricsFlag, metricsHelp } from '../running-program.ts'
import type { FeedNetwork } from './feed-host.ts'
import type { Reach } from './feed-node.ts'

/** What a store is there for, and what it is called by default. */
export type StoreKind = 'feeds' | 'groups'

/** Flags of all commands about feeds or groups. */
export interface StoreFlags {
  readonly store?: string
  readonly json?: boolean
}

/** Flags of those that meet other nodes. */
export interface NetworkFlags extends StoreFlags {
  readonly psk?: string
  readonly wait: number
}

/** Flags of those that others can reach. */
export interface ServeFlags extends NetworkFlags {
  readonly listen?: string
  readonly metrics?: string
}

export function addStoreFlags(command: Command, kind: StoreKind = 'feeds'): Command {
  return command
    .option('--store <DIR>', `the folder that the ${kind} are kept in; ~/.local/state/plait/${kind} if left out`)
    .option('--json', 'print lines of JSON')
}

export function addNetworkFlags(command: Command, kind: StoreKind = 'feeds'): Command {
  return addStoreFlags(command, kind)
    .option('--psk <FILE>', 'the key of a private network, made with `plait psk`')
    .option(
      '--wait <SECONDS>',
      'how long to look for the other side, also when the connection is lost on the way',
      wholeNumber(1, 86_400),
      programResumeMs / 1_000,
    )
}

export function addServeFlags(command: Command, kind: StoreKind = 'feeds'): Command {
  return addNetworkFlags(command, kind)
    .option('--listen <HOST:PORT>', 'where to listen; every interface and a port that stays the same if left out')
    .option(metricsFlag, metricsHelp)
}

/** The number of a block. */
export const blockNumber: (text: string) => number = wholeNumber(0, 2 ** 48)

/** Where the feeds or groups are kept. */
export function storeFolder({ store }: StoreFlags, kind: StoreKind = 'feeds'): string {
  return store === undefined ? join(stateDirectory(), kind) : resolve(store)
}

/** A node that nobody but programs of this machine can reach, or that `--listen` speaks of. */
export function networkOf(flags: ServeFlags, at: Reach['at']): FeedNetwork {
  const reach = at === 'everywhere' ? { at, listen: flags.listen } : { at }
  return { reach, psk: flags.psk, waitMs: flags.wait * 1_000, metrics: flags.metrics }
}
