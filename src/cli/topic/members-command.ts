import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { MemberInfo, Shape } from '../../broadcast/broadcast-api.ts'
import { PlaitError } from '../../base/error.ts'
import { programResumeMs } from '../connection-report.ts'
import { wholeNumber } from '../flag-values.ts'
import { jsonLine } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf } from '../units.ts'
import { memberLine } from './member-report.ts'
import { addTopicFlags, type TopicFlags } from './topic-flags.ts'
import { TopicHost } from './topic-host.ts'

interface MembersFlags extends TopicFlags {
  readonly wait: number
}

/** So long nothing new may come of members before the list counts as whole. */
const quietMs = 1_000
const lookMs = 50
const shapes: Readonly<Record<Shape, string>> = {
  star: 'each publishes to each',
  tree: 'messages travel over a tree of all',
  overlay: 'there are more than one of them can know: these are those whom this one does',
}

export function addMembersCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addTopicFlags(
    program
      .command('members')
      .description('List who is in a network of topics.')
      .argument('<LINK>', 'to one of its members, in quotes')
      .option('--wait <SECONDS>', 'how long to look for a member', wholeNumber(1, 86_400), programResumeMs / 1_000),
  )
    .addHelpText(
      'after',
      "\nExample:\n  plait members 'plait://...'\n\nThis program is a member for as long as it takes, and is not listed.",
    )
    .action(async (link: string, flags: MembersFlags) => done(await list(link, flags, terminal)))
}

async function list(link: string, flags: MembersFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const { json = false, wait } = flags
  await using host = await TopicHost.open({ link, flags, terminal })
  const late = AbortSignal.timeout(wait * 1_000)
  try {
    await host.topics.joined({ signal: AbortSignal.any([stop.signal, late]) })
  } catch (error) {
    if (!late.aborted) throw error
    throw new PlaitError(
      'UNREACHABLE',
      `nobody was found by this link in ${wait} s; see that \`plait sub\` or \`plait pub\` is still running there, or use the link of another member`,
    )
  }
  await untilQuiet(host, stop.signal)
  const { members, shape } = host.topics.snapshot()
  const others = members.filter(({ id }) => id !== host.node.id)
  print(others, shape, terminal, json)
  return 0
}

async function untilQuiet({ topics }: TopicHost, signal: AbortSignal): Promise<void> {
  let changedAt = performance.now()
  const note = (): void => void (changedAt = performance.now())
  topics.addEventListener('member', note)
  while (performance.now() - changedAt < quietMs) await delay(lookMs, undefined, { signal })
  topics.removeEventListener('member', note)
}

function print(members: readonly MemberInfo[], shape: Shape, terminal: Terminal, json: boolean): void {
  for (const { id, status, incarnation, addresses } of json ? members : [])
    terminal.print(jsonLine({ event: 'member', nodeId: id, status, incarnation, addresses }))
  if (json) return terminal.print(jsonLine({ event: 'summary', members: members.length, shape }))
  for (const member of members) terminal.print(memberLine(member))
  terminal.note(`${countOf(members.length, 'member')}; ${shapes[shape]}`)
}
