import type { Command } from 'commander'
import type { TopicMessage } from '../../broadcast/broadcast-api.ts'
import { jsonLine, printable } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { reportMembers } from './member-report.ts'
import { addTopicFlags, type TopicFlags } from './topic-flags.ts'
import { TopicHost } from './topic-host.ts'

interface SubFlags extends TopicFlags {
  readonly author?: boolean
}

export function addSubCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addTopicFlags(
    program
      .command('sub')
      .description('Print what others publish to a topic, a line for each message, until Ctrl-C.')
      .argument('<TOPIC>', 'its name')
      .argument(
        '[LINK]',
        'by which to join those who are there, in quotes; if left out others join by the one that is printed',
      )
      .option('--author', 'say of each message who has published it'),
  )
    .addHelpText(
      'after',
      "\nExample:\n  plait sub news                    prints a link\n  plait pub news 'plait://...'      on another machine: each line that is typed goes to all",
    )
    .action(async (topic: string, link: string | undefined, flags: SubFlags) =>
      done(await subscribe(topic, link, flags, terminal)),
    )
}

async function subscribe(
  topic: string,
  link: string | undefined,
  flags: SubFlags,
  terminal: Terminal,
): Promise<number> {
  using stop = new StopSignals()
  await using host = await TopicHost.open({ link, flags, terminal })
  const { json = false, author = false } = flags
  host.topics.subscribe(topic, (message) => printMessage(message, { terminal, json, author }))
  host.announce(topic, terminal, json)
  reportMembers(host.topics, terminal, json)
  await stop.stopped()
  return 0
}

export interface MessageOptions {
  readonly terminal: Terminal
  readonly json: boolean
  readonly author: boolean
}

const decoder = new TextDecoder()
const strict = new TextDecoder('utf-8', { fatal: true })
/** Of an id, as much as tells members apart. */
const shortCharacters = 8

/** One line; on a terminal nothing that it has in it acts on the terminal. */
export function printMessage(message: TopicMessage, { terminal, json, author }: MessageOptions): void {
  const { topic, payload, author: from, isDirect } = message
  if (json) {
    terminal.print(jsonLine({ event: 'message', topic, author: from, isDirect, ...contentOf(payload) }))
    return
  }
  const text = decoder.decode(payload)
  const shown = terminal.watched ? printable(text) : text
  terminal.print(author ? `${from.slice(0, shortCharacters)}  ${shown}` : shown)
}

function contentOf(payload: Uint8Array): { readonly text: string } | { readonly base64: string } {
  try {
    return { text: strict.decode(payload) }
  } catch {
    return { base64: Buffer.from(payload).toString('base64') }
  }
}
