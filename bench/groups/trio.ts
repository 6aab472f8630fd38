import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MemberProcess } from './member-process.ts'
import type { Clock, MemberKind, Opened } from './order.ts'

export interface Joining {
  readonly folder: string
  readonly kind: MemberKind
  readonly snapshotEntries?: number
}

/** Makes a group of these processes, the first of which founds it, each in a folder of its own. Resolves when all are members. */
export async function makeGroup(members: readonly MemberProcess[], joining: Joining): Promise<readonly Opened[]> {
  const opened: Opened[] = []
  for (const [index, member] of members.entries()) {
    const link = index === 0 ? undefined : (await (members[0] as MemberProcess).ask('invite', {})).link
    const folder = join(joining.folder, `member-${index}`)
    opened.push(await member.ask('open', { ...joining, folder, ...(link !== undefined && { link }) }))
  }
  return opened
}

const pauseMs = 20

/**
 * Resolves when all have delivered the same, and have it in their views. What one has delivered may become void, so that it is not enough
 * to wait for the most that anybody has. Rejects with what each has when time is up.
 */
export async function levelAll(members: readonly MemberProcess[], timeoutMs = 600_000): Promise<Clock> {
  const began = performance.now()
  for (;;) {
    const facts = await Promise.all(members.map((member) => member.ask('facts', { collect: false })))
    const [first, ...others] = facts
    if (first === undefined) throw new Error('no members')
    if (facts.every(({ uncommitted }) => uncommitted === 0) && others.every(({ clock }) => isSame(clock, first.clock)))
      return first.clock
    if (performance.now() - began > timeoutMs)
      throw new Error(`not level in ${timeoutMs} ms: ${JSON.stringify(facts, undefined, 1)}`)
    await sleep(pauseMs)
  }
}

function isSame(clock: Clock, other: Clock): boolean {
  const entries = Object.entries(clock)
  return entries.length === Object.keys(other).length && entries.every(([writer, number]) => other[writer] === number)
}
