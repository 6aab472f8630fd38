import type { Verify } from '../identity/signature.ts'
import { GroupMachine } from './group-machine.ts'
import type { GroupMachineEvents } from './group-machine.ts'
import { restoreState } from './group-state.ts'
import type { GroupState } from './group-state.ts'

const nothing = (): void => {}
const unheard: GroupMachineEvents = {
  entered: nothing,
  delivered: nothing,
  passedOver: nothing,
  opened: nothing,
  membersChanged: nothing,
  overturned: nothing,
  snapshotNamed: nothing,
}

/**
 * Whether, of the entries that a snapshot is of, the same count as are known to count here. Its maker may not have heard yet of a removal
 * by which some of them are void: then it holds what nobody else does. Throws `PROTOCOL` for a state that makes no sense.
 */
export function countsAlike(state: GroupState, { group, roster }: GroupMachine, verify: Verify): boolean {
  const then = new GroupMachine({ group, verify, events: unheard })
  restoreState(then, state)
  return then.order.feeds.every(
    ({ writer, delivered }) => then.roster.writableRuns(writer, delivered) === roster.writableRuns(writer, delivered),
  )
}
