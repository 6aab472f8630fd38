import type { Command } from 'commander'
import { metricsFlag, metricsHelp } from '../running-program.ts'

/** Flags of all commands that are members of a network. */
export interface TopicFlags {
  readonly key?: string
  readonly listen?: string
  readonly metrics?: string
  readonly json?: boolean
}

export function addTopicFlags(command: Command): Command {
  return command
    .option('--key <FILE>', 'keep the key of this member there, so that it is the same one the next time')
    .option('--listen <HOST:PORT>', 'where to listen; every interface and any port if left out')
    .option(metricsFlag, metricsHelp)
    .option('--json', 'print lines of JSON')
}
