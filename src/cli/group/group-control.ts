import { PlaitError } from '../../base/error.ts'
import { formatDot } from '../../crdt/dot.ts'
import { isDriveRequest } from '../control/drive-requests.ts'
import { changesWaitMs, type Changed, type GroupRequest, type KeyChanges } from '../control/group-requests.ts'
import { feedControl } from '../feed/feed-control.ts'
import type { StoreControl } from '../running-program.ts'
import type { GroupHost } from './group-host.ts'
import { invitation } from './invitation.ts'
import { carryOut } from './measure.ts'
import type { KeptGroup } from './kept-group.ts'
import { change, keyChanges } from '../kv/key-changes.ts'

/** What the owner of a store with groups does for this user's other programs. */
export function groupControl(host: GroupHost): StoreControl {
  const feeds = feedControl(host.host)
  return async (request, facts) => {
    switch (request.command) {
      case 'feeds':
      case 'feed-create':
      case 'feed-clone':
      case 'feed-append':
        return feeds(request, facts)
      case 'groups':
        return { ...facts, groups: (await host.all()).map((kept) => kept.facts()) }
      case 'group-create':
        return { id: (await host.create(request.name)).group.id }
      case 'group-join':
        return { id: (await host.join(request.link, host.closing)).group.id }
      default: {
        if (isDriveRequest(request)) throw new PlaitError('INVALID_ARGUMENT', 'this program keeps no folder in sync')
        const kept = await host.at(request.group)
        return answerOf(host, kept, request)
      }
    }
  }
}

type Request = Exclude<GroupRequest, { readonly command: 'groups' | 'group-create' | 'group-join' }>

async function answerOf(host: GroupHost, kept: KeptGroup, request: Request): Promise<unknown> {
  const { id } = kept.group
  switch (request.command) {
    case 'group-invite':
      return { id, link: await invitation(host, kept, request) }
    case 'group-measure':
      return { id, node: await carryOut(kept, request) }
    case 'kv-set': {
      const value = Uint8Array.from(Buffer.from(request.value, 'base64'))
      const dot = await change(host, kept, (values) => values.set(request.key, value))
      return { id, dot: formatDot(dot) } satisfies Changed
    }
    case 'kv-delete': {
      const dot = await change(host, kept, (values) => values.delete(request.key))
      return { id, dot: formatDot(dot) } satisfies Changed
    }
    case 'kv-get': {
      const value = kept.values.read(request.key)
      return value === undefined ? { id } : { id, value: Buffer.from(value).toString('base64') }
    }
    case 'kv-list':
      return keyChanges(kept, undefined) satisfies KeyChanges
    case 'kv-changes': {
      const signal = AbortSignal.any([host.closing, AbortSignal.timeout(changesWaitMs)])
      await kept.values.changedSince(request.after, signal).catch(() => {})
      return keyChanges(kept, request.after) satisfies KeyChanges
    }
  }
}
