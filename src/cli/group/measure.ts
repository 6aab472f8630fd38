import { PlaitError } from '../../base/error.ts'
import type { Group } from '../../causal/group-api.ts'
import type { NodeId } from '../../identity/node-id.ts'
import type { Measure } from '../control/group-requests.ts'
import type { KeptGroup } from './kept-group.ts'

/** How many characters of a node id are enough, if no other member's begins so. */
const idCharactersMin = 4

/** Carries out what was decided about a member, and says who that is. Rejects in words that say what to do. */
export async function carryOut({ group, nodeId }: KeptGroup, measure: Measure): Promise<string> {
  if (measure.act === 'leave') {
    await group.leave()
    return nodeId
  }
  const node = memberCalled(group, measure.member)
  if (node === nodeId && measure.act !== 'role')
    throw new PlaitError('INVALID_ARGUMENT', 'that is this node itself: `plait group leave` takes it out of the group')
  if (measure.act === 'role') await group.assign(node, measure.role)
  else if (measure.act === 'remove') await group.remove(node)
  else await group.park(node)
  return node
}

function memberCalled({ members }: Group, text: string): NodeId {
  const wanted = text.trim()
  const meant = members.filter(({ node }) => wanted.length >= idCharactersMin && node.startsWith(wanted))
  const [first] = meant
  if (first !== undefined && meant.length === 1) return first.node
  throw new PlaitError(
    'INVALID_ARGUMENT',
    first === undefined
      ? `no member's node id begins with ${wanted}; \`plait group members\` shows them, ${idCharactersMin} characters are enough`
      : `several members have node ids that begin with ${wanted}; name more of it`,
  )
}
