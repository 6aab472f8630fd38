import type { Command } from 'commander'
import { addNetworkFlags, type ServeFlags } from '../feed/feed-flags.ts'

/** Flags of all commands about the map of a group. */
export interface KvFlags extends ServeFlags {
  readonly group?: string
}

const groupFlag = '--group <GROUP>'
const groupHelp =
  'which group is meant: its name, or its id or the beginning of that; the only one of the store if left out'

export function addGroupFlag(command: Command): Command {
  return command.option(groupFlag, groupHelp)
}

export function addKvFlags(command: Command): Command {
  return addNetworkFlags(addGroupFlag(command), 'groups')
}

/** The group of a question to a running program. */
export function groupOf({ group }: KvFlags): { readonly group?: string } {
  return group === undefined ? {} : { group }
}
