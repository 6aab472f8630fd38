import { join } from 'node:path'
import type { MemberProcess } from './member-process.ts'
import type { Clock, MemberKind, Opened } from './order.ts'

export interface Joining {
  readonly folder: string
  readonly kind: MemberKind
  readonly snapshotEntries?: number
}

/** Makes a group of these processes, the first of which founds it; each in a folder of its own, by number. Resolves when all are members. */
export async function makeGroup(members: readonly MemberProcess[], joining: Joining): Promise<readonly Opened[]> {
  const opened: Opened[] = []
  for (const [index, member] of members.entries()) {
    const link = index === 0 ? undefined : (await (members[0] as MemberProcess).ask('invite', {})).link
    const folder = join(joining.folder, `member-${index}`)
    opened.push(await member.ask('open', { ...joining, folder, ...(link !== undefined && { link }) }))
  }
  return opened
}

/** Resolves when all have delivered what any of them has written, and have it in their views. */
export async function levelAll(members: readonly MemberProcess[]): Promise<Clock> {
  const clocks = await Promise.all(members.map(async (member) => (await member.ask('facts', { collect: false })).clock))
  const writers = new Set(clocks.flatMap((clock) => Object.keys(clock)))
  const clock = Object.fromEntries(
    [...writers].map((writer) => [writer, Math.max(...clocks.map((one) => one[writer] ?? 0))]),
  )
  await Promise.all(members.map((member) => member.ask('level', { clock })))
  return clock
}
