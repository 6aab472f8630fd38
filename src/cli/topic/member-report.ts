import type { MemberInfo, Topics } from '../../broadcast/broadcast-api.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { countOf } from '../units.ts'

const shortCharacters = 8
const words = { alive: 'is there', suspect: 'does not answer', dead: 'is gone', left: 'has left' } as const

/** Says who comes and goes. */
export function reportMembers(topics: Topics, terminal: Terminal, json: boolean): void {
  topics.addEventListener('member', ({ detail }) => {
    const { id, status, before, addresses } = detail
    if (json) {
      terminal.print(jsonLine({ event: 'member', nodeId: id, status, ...(before && { before }), addresses }))
      return
    }
    if (status === 'suspect') return
    if (status === 'alive' && before === 'alive') return
    const members = countOf(topics.members.length, 'member')
    terminal.note(`${id.slice(0, shortCharacters)} ${words[status]}; ${members} now`)
  })
}

/** A line for each member, for `plait members`. */
export function memberLine({ id, status, addresses }: MemberInfo): string {
  const where = addresses.length === 0 ? 'cannot be dialled' : addresses.join(', ')
  return `${id}  ${status.padEnd(7)}  ${where}`
}
