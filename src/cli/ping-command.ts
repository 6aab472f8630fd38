import type { Command } from 'commander'
import { PlaitError } from '../base/error.ts'
import { parseGroupLink } from '../causal/group-link.ts'
import { parseDriveLink } from '../drive/drive-link.ts'
import { parseFeedLink } from '../feed/feed-link.ts'
import { readNetworkKeyFile } from '../identity/network-key.ts'
import type { NodeId } from '../identity/node-id.ts'
import { messenger } from '../message/messenger.ts'
import { createNode } from '../node/create-node.ts'
import { formatAddress, formatUrl, parseUrl, type PeerUrl } from '../node/url.ts'
import { askProgram, askPrograms } from './control/control-client.ts'
import type { ControlAddress } from './control/control-folder.ts'
import { programResumeMs } from './connection-report.ts'
import { wholeNumber } from './flag-values.ts'
import { pingSeries, type SeriesSummary } from './ping-series.ts'
import { pingService } from './ping-service.ts'
import { jsonLine, printable } from './printable.ts'
import { StopSignals } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

const deadlineMs = 5_000
const farewellMs = 1_000
const readInterval = wholeNumber(1, 3_600_000)

interface PingFlags {
  readonly count?: number
  readonly interval?: { readonly everyMs: number }
  readonly psk?: string
  readonly json?: boolean
}

export function addPingCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('ping')
    .description(
      'Measure the time to a node that shares, clones or serves feeds, and back; until Ctrl-C unless --count says otherwise.',
    )
    .argument(
      '<LINK|ADDRESS>',
      'a link, an address plait://NODEID@HOST:PORT, or the id of a node that a program here is connected with',
    )
    .option('--count <N>', 'end after so many', wholeNumber(1, 1e9))
    .option('--interval <MS>', 'time from one to the next; 1000 if left out', (text) => ({
      everyMs: readInterval(text),
    }))
    .option('--psk <FILE>', 'the key of a private network, made with `plait psk`')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', "\nExample:\n  plait ping 'plait://...' --count 3\n\nExit code: 1 when none came back.")
    .action(async (target: string, flags: PingFlags) => done(await ping(target, flags, terminal)))
}

async function ping(text: string, flags: PingFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const target = parsePingTarget(text)
  const networkKey = flags.psk === undefined ? undefined : await readNetworkKeyFile(flags.psk)
  await using line =
    target.addresses.length === 0 ? await throughProgram(target.nodeId) : await dial(target, networkKey, stop.signal)
  const { json = false } = flags
  if (!json) terminal.note(`pinging ${target.nodeId} ${line.by}`)
  const summary = await pingSeries({
    ping: line.ping,
    intervalMs: flags.interval?.everyMs ?? 1_000,
    count: flags.count ?? Infinity,
    signal: stop.signal,
    onAnswer: (seq, timeMs) =>
      terminal.print(json ? jsonLine({ event: 'pong', seq, timeMs }) : `seq=${seq} time=${timeMs.toFixed(2)} ms`),
    onLoss: (seq, { code, message }) =>
      terminal.print(json ? jsonLine({ event: 'lost', seq, code, message }) : `seq=${seq} lost: ${printable(message)}`),
  })
  if (json) terminal.print(jsonLine({ event: 'summary', nodeId: target.nodeId, ...summary }))
  else for (const part of summaryLines(summary)) terminal.print(part)
  return summary.received > 0 ? 0 : 1
}

/** Where pings go. */
interface Line extends AsyncDisposable {
  readonly by: string
  readonly ping: () => Promise<number>
}

/** Which node is meant by a share link, a link to a feed or group, a URL or a bare node id. Throws `INVALID_ADDRESS` or `INVALID_LINK`. */
export function parsePingTarget(text: string): Pick<PeerUrl, 'nodeId' | 'addresses'> {
  const trimmed = text.trim()
  if (trimmed.includes('/f#')) return parseFeedLink(trimmed)
  if (trimmed.includes('/g/')) return parseGroupLink(trimmed)
  if (trimmed.includes('#')) return parseDriveLink(trimmed)
  return parseUrl(/^[a-z2-7]{52}$/.test(trimmed) ? `plait://${trimmed}` : trimmed)
}

/** With a key of its own, for this one time. */
async function dial(
  { nodeId, addresses }: Pick<PeerUrl, 'nodeId' | 'addresses'>,
  networkKey: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<Line> {
  const node = await createNode({
    application: { name: 'plait', version: version() },
    resumeMs: programResumeMs,
    ...(networkKey === undefined ? {} : { networkKey }),
  })
  try {
    const url = formatUrl({ nodeId, addresses, service: pingService })
    const messages = messenger(await node.peer('ping').open(url, undefined, { signal }))
    return {
      by: `at ${addresses.map(formatAddress).join(', ')}`,
      ping: () => messages.ping({ deadlineMs }),
      [Symbol.asyncDispose]: () => node.close({ signal: AbortSignal.timeout(farewellMs) }),
    }
  } catch (error) {
    await node.close()
    throw explained(error)
  }
}

/** Over the session that a running program has with that node. */
async function throughProgram(nodeId: NodeId): Promise<Line> {
  const address = await connectedProgram(nodeId)
  return {
    by: `through process ${address.pid}`,
    ping: async () => (await askProgram(address, { command: 'ping', nodeId })).roundTripMs,
    [Symbol.asyncDispose]: async () => {},
  }
}

async function connectedProgram(nodeId: NodeId): Promise<ControlAddress> {
  for (const { address, answer } of await askPrograms({ command: 'peers' })) {
    if (!PlaitError.is(answer) && answer.peers.some((peer) => peer.nodeId === nodeId)) return address
  }
  throw new PlaitError(
    'UNREACHABLE',
    'no program here is connected with that node; name an address too: plait://NODEID@HOST:PORT',
  )
}

function explained(error: unknown): unknown {
  if (!PlaitError.is(error) || error.code !== 'UNKNOWN_SERVICE') return error
  return new PlaitError(
    'UNKNOWN_SERVICE',
    'the node was reached, but it does not answer pings: it runs another program',
    {
      cause: error,
    },
  )
}

function summaryLines({ sent, received, minMs, avgMs, maxMs }: SeriesSummary): readonly string[] {
  const lost = sent === 0 ? 0 : ((sent - received) * 100) / sent
  const first = `${sent} sent, ${received} came back, ${Number(lost.toFixed(1))}% lost`
  if (received === 0) return [first]
  return [first, `min/avg/max = ${[minMs, avgMs, maxMs].map((time) => time.toFixed(2)).join('/')} ms`]
}
