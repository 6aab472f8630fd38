import { PlaitError } from '../../base/error.ts'
import type { Dot } from '../../crdt/dot.ts'
import type { KeyChanges } from '../control/group-requests.ts'
import type { GroupHost } from '../group/group-host.ts'
import type { KeptGroup } from '../group/kept-group.ts'
import type { KeyValues } from './key-values.ts'

/** Changes the map of a group. Rejects with what says why this node cannot. */
export async function change(
  host: GroupHost,
  kept: KeptGroup,
  write: (values: KeyValues) => Promise<Dot>,
): Promise<Dot> {
  await kept.writable(host.waitMs, host.closing)
  if (kept.group.role === 'read')
    throw new PlaitError(
      'FORBIDDEN',
      'this store may read the group only; ask an admin for a link with --role write, and join with it again',
    )
  return write(kept.values)
}

/** What has changed since a revision, or all there is. */
export function keyChanges({ group, values }: KeptGroup, after: number | undefined): KeyChanges {
  const since = after === undefined ? undefined : values.since(after)
  const changes = (since ?? values.list()).map(({ key, value, from }) => ({
    key,
    ...(value === undefined ? {} : { value: Buffer.from(value).toString('base64') }),
    ...(from === undefined ? {} : { from }),
  }))
  return { id: group.id, revision: values.revision, changes, isWhole: since === undefined }
}
