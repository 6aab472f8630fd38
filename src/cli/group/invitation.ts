import type { Invitation } from '../control/group-requests.ts'
import type { GroupHost } from './group-host.ts'
import type { KeptGroup } from './kept-group.ts'

/** A link by which others join. Rejects with what says why there can be none. */
export async function invitation(
  host: GroupHost,
  kept: KeptGroup,
  { role, uses, validMs }: Invitation,
): Promise<string> {
  await kept.writable(host.waitMs, host.closing)
  return kept.group.invite({
    role,
    ...(uses === undefined ? {} : { uses }),
    ...(validMs === undefined ? {} : { validMs }),
  })
}
