import type { Group } from '../../causal/group-api.ts'
import { formatDot } from '../../crdt/dot.ts'
import { jsonLine, printable } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

/** What people should know of a group while it is in use. */
export function reportGroup(group: Group, terminal: Terminal, json: boolean): void {
  const tell = (event: string, facts: Readonly<Record<string, unknown>>, message: string): void => {
    if (json) terminal.print(jsonLine({ event, id: group.id, ...facts }))
    else terminal.note(`${printable(group.name || group.id.slice(0, 8))}: ${printable(message)}`)
  }
  group.addEventListener('setaside', ({ detail: { dot, error } }) =>
    tell(
      'setaside',
      { dot: formatDot(dot), code: error.code, message: error.message },
      `an operation is passed over: ${error.message}`,
    ),
  )
  group.addEventListener('overturned', () =>
    tell('overturned', {}, 'what a member had written does not count any more: the state was made anew without it'),
  )
  group.addEventListener('continued', ({ detail }) =>
    tell(
      'continued',
      detail,
      'this store had forgotten what it has written, as a restored copy has; it goes on under another number',
    ),
  )
  group.addEventListener('failed', ({ detail: { error } }) =>
    tell('failed', { code: error.code, message: error.message }, `the group has stopped: ${error.message}`),
  )
}
