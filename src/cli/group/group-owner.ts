import { askProgram } from '../control/control-client.ts'
import type { ControlAddress } from '../control/control-folder.ts'
import type { ControlAnswers } from '../control/control-protocol.ts'
import type { GroupFacts, GroupRequest } from '../control/group-requests.ts'
import { storeFolder, networkOf, type ServeFlags } from '../feed/feed-flags.ts'
import type { FeedHostOptions } from '../feed/feed-host.ts'
import type { Reach } from '../feed/feed-node.ts'
import { openOrAsk } from '../feed/store-owner.ts'
import type { Terminal } from '../terminal.ts'
import { GroupHost } from './group-host.ts'

/** Another program of this user, which has the store with the groups: it is asked for what this one would do itself. */
export class GroupOwner {
  readonly pid: number
  /** As they were when it was found. */
  readonly groups: readonly GroupFacts[]
  readonly #address: ControlAddress

  constructor(address: ControlAddress, groups: readonly GroupFacts[]) {
    this.pid = address.pid
    this.groups = groups
    this.#address = address
  }

  ask<Request extends GroupRequest>(request: Request): Promise<ControlAnswers[Request['command']]> {
    return askProgram(this.#address, request)
  }
}

/** For a command with these flags; `at`: who can reach its node. */
export function hostOptions(flags: ServeFlags, at: Reach['at'], terminal: Terminal): FeedHostOptions {
  const json = flags.json === true
  return { folder: storeFolder(flags, 'groups'), network: networkOf(flags, at), terminal, json }
}

/** The store, if nobody has it, else who has it. Rejects as `openOrAsk`. */
export async function openGroupsOrOwner(options: FeedHostOptions): Promise<GroupHost | GroupOwner> {
  const opened = await openOrAsk(() => GroupHost.open(options), { command: 'groups' })
  return opened instanceof GroupHost ? opened : new GroupOwner(opened.address, opened.answer.groups)
}
