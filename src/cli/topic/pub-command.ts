import type { Command } from 'commander'
import type { Publication, PublishReport } from '../../broadcast/broadcast-api.ts'
import { defaultLimits } from '../../base/limits.ts'
import { PlaitError } from '../../base/error.ts'
import type { NodeId } from '../../identity/node-id.ts'
import { LineCutter } from '../feed/block-cutter.ts'
import { jsonLine } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatCount } from '../units.ts'
import { reportMembers } from './member-report.ts'
import { printMessage } from './sub-command.ts'
import { addTopicFlags, type TopicFlags } from './topic-flags.ts'
import { TopicHost } from './topic-host.ts'

interface PubFlags extends TopicFlags {
  readonly both?: boolean
}

const { sendBufferMarkBytes, broadcastBodyBytes } = defaultLimits
const namesShown = 5

export function addPubCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addTopicFlags(
    program
      .command('pub')
      .description(
        'Publish standard input to a topic, a message for each line, to all who are there: from the moment when somebody is.',
      )
      .argument('<TOPIC>', 'its name')
      .argument(
        '[LINK]',
        'by which to join those who are there, in quotes; if left out others join by the one that is printed',
      )
      .option('--both', 'print what others publish to it, too, and go on when the input has ended, until Ctrl-C'),
  )
    .addHelpText(
      'after',
      "\nExample:\n  tail -f access.log | plait pub log 'plait://...'\n\nExit code: 1 when somebody who was there was not reached.",
    )
    .action(async (topic: string, link: string | undefined, flags: PubFlags) =>
      done(await publish(topic, link, flags, terminal)),
    )
}

async function publish(topic: string, link: string | undefined, flags: PubFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const { json = false, both = false } = flags
  await using host = await TopicHost.open({ link, flags, terminal })
  if (both) {
    host.topics.subscribe(topic, (message) => printMessage(message, { terminal, json, author: true }))
    reportMembers(host.topics, terminal, json)
  }
  if (link === undefined || both || json) host.announce(topic, terminal, json)
  if (!json) terminal.live('waiting until somebody is there')
  await host.topics.joined({ signal: stop.signal })
  terminal.live('')
  const reports = new Reports()
  try {
    await pump(host, topic, reports, stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    process.stdin.destroy()
  }
  const total = await reports.total()
  summarize(total, reports.messages, terminal, json)
  if (both) await stop.stopped()
  return total.missing === 0 ? 0 : 1
}

async function pump({ topics }: TopicHost, topic: string, reports: Reports, signal: AbortSignal): Promise<void> {
  const cutter = new LineCutter()
  const end = (): void => void process.stdin.destroy()
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  const say = async (lines: Iterable<Uint8Array>): Promise<void> => {
    for (const line of lines) {
      if (line.length > broadcastBodyBytes)
        throw new PlaitError('LIMIT', `a line is longer than a message may be (${broadcastBodyBytes} bytes)`, {
          facts: { limit: broadcastBodyBytes },
        })
      if (topics.bufferedBytes >= sendBufferMarkBytes) await topics.ready({ signal })
      reports.add(topics.publish(topic, line))
    }
  }
  for await (const chunk of process.stdin) await say(cutter.push(chunk as Uint8Array))
  await say(cutter.end())
}

/** What has become of all that was published. */
class Reports {
  messages = 0
  readonly #open = new Set<Publication>()
  readonly #unreached = new Set<NodeId>()
  #missing = 0
  #reachedLeast: number | undefined

  add(publication: Publication): void {
    this.messages += 1
    if (this.#open.has(publication)) return
    this.#open.add(publication)
    void publication.report().then(
      (report) => this.#close(publication, report),
      () => this.#open.delete(publication),
    )
  }

  async total(): Promise<PublishReport> {
    await Promise.allSettled([...this.#open].map((one) => one.report()))
    return { reached: this.#reachedLeast ?? 0, missing: this.#missing, unreached: [...this.#unreached] }
  }

  #close(publication: Publication, { reached, missing, unreached }: PublishReport): void {
    this.#open.delete(publication)
    this.#reachedLeast = Math.min(this.#reachedLeast ?? Infinity, reached)
    this.#missing = Math.max(this.#missing, missing)
    for (const id of unreached) this.#unreached.add(id)
  }
}

function summarize(
  { reached, missing, unreached }: PublishReport,
  messages: number,
  terminal: Terminal,
  json: boolean,
): void {
  if (json) {
    terminal.print(jsonLine({ event: 'summary', messages, reached, missing, unreached }))
    return
  }
  const said = countOf(messages, 'message')
  if (missing === 0) terminal.note(`${said} published, each to ${countOf(reached, 'member')}`)
  else {
    const names = unreached.slice(0, namesShown).map((id) => id.slice(0, 8))
    terminal.note(`${said} published; ${formatCount(missing)} of the members were not reached: ${names.join(', ')}`)
  }
}
