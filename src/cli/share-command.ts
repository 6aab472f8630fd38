import { basename } from 'node:path'
import type { Command } from 'commander'
import { PlaitError } from '../base/error.ts'
import { isLoopback } from '../drive/address.ts'
import { DriveServer, type ShareEvent } from '../drive/drive-server.ts'
import { formatShareLink, type ShareLink } from '../drive/share-link.ts'
import { readNetworkKeyFile } from '../identity/network-key.ts'
import { createNode } from '../node/create-node.ts'
import type { PlaitNode } from '../node/node-api.ts'
import { formatAddress, parseAddress, parseUrl } from '../node/url.ts'
import { systemRuntime } from '../runtime/system/system-runtime.ts'
import { programResumeMs } from './connection-report.ts'
import { everyInterface, reachableAt } from './listen-addresses.ts'
import { openShareReplica, type ShareReplica } from './open-replica.ts'
import { jsonLine, printable } from './printable.ts'
import { keyFile, writeReplica } from './replica-state.ts'
import { metricsFlag, metricsHelp, RunningProgram } from './running-program.ts'
import { StopSignals } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'
import { countOf } from './units.ts'
import { version } from './version.ts'

/** Work of others that is under way gets this long to end when the program is told to stop. */
const farewellMs = 1_000

interface ShareFlags {
  readonly listen?: string
  readonly json?: boolean
  readonly psk?: string
  readonly metrics?: string
}

export function addShareCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('share')
    .description(
      'Share a folder for reading: prints a link, and serves until Ctrl-C. The same folder has the same link next time.',
    )
    .argument('<DIR>', 'the folder to share')
    .option('--listen <HOST:PORT>', 'where to listen; every interface and a port that stays the same if left out')
    .option('--psk <FILE>', 'the key of a private network, made with `plait psk`: nobody else can connect')
    .option(metricsFlag, metricsHelp)
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait share ./photos --listen 192.168.1.5:7001')
    .action(async (folder: string, flags: ShareFlags) => done(await share(folder, flags, terminal)))
}

async function share(path: string, flags: ShareFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const networkKey = flags.psk === undefined ? undefined : await readNetworkKeyFile(flags.psk)
  const replica = openShareReplica(path)
  const node = await listen(replica, flags.listen, networkKey, terminal)
  let running: RunningProgram | undefined
  try {
    const link = linkTo(node, replica)
    writeReplica({ ...replica, nodeId: node.id, port: (link.addresses[0] as ShareLink['addresses'][number]).port })
    const onEvent = flags.json === true ? jsonReporter(terminal) : plainReporter(terminal)
    DriveServer.start({
      node,
      runtime: systemRuntime(),
      driveId: replica.driveId,
      secret: replica.secret,
      folder: replica.folder,
      onEvent,
    })
    running = await RunningProgram.open({
      node,
      work: () => ({ role: 'share', folder: replica.folder, driveId: replica.driveId }),
      terminal,
      json: flags.json === true,
      metrics: flags.metrics,
    })
    if (flags.json === true) announceJson(link, replica, terminal)
    else announce(link, replica, terminal)
    await stop.stopped()
    return 0
  } finally {
    await running?.close()
    await node.close({ signal: AbortSignal.timeout(farewellMs) })
  }
}

/**
 * Listens where it did last time, so that links given out go on to work; if that is impossible, elsewhere, and says
 * so.
 */
async function listen(
  replica: ShareReplica,
  flag: string | undefined,
  networkKey: Uint8Array | undefined,
  terminal: Terminal,
): Promise<PlaitNode> {
  const create = (address: { host: string; port: number }): Promise<PlaitNode> =>
    createNode({
      keyFile: keyFile(replica.replicaId),
      listen: [`tcp://${formatAddress(address)}`],
      application: { name: 'plait', version: version() },
      resumeMs: programResumeMs,
      ...(networkKey === undefined ? {} : { networkKey }),
    })
  try {
    if (flag !== undefined) return await create(parseAddress(flag))
    const host = everyInterface()
    try {
      return await create({ host, port: replica.port ?? 0 })
    } catch (error) {
      if (replica.port === undefined || !PlaitError.is(error) || error.code === 'KEY_IN_USE') throw error
      terminal.note(
        `port ${replica.port} is taken: this share gets another one, and links given out earlier lead nowhere until it is free again`,
      )
      return await create({ host, port: 0 })
    }
  } catch (error) {
    if (!PlaitError.is(error) || error.code !== 'KEY_IN_USE') throw error
    throw new PlaitError(
      'KEY_IN_USE',
      `this folder is being shared already, by process ${String(error.facts['pid'] ?? 'unknown')}; its link is good, or stop it first`,
      {
        facts: error.facts,
        cause: error,
      },
    )
  }
}

function linkTo(node: PlaitNode, replica: ShareReplica): ShareLink {
  const bound = node.addresses.flatMap((address) => parseUrl(address).addresses)
  return {
    nodeId: node.id,
    addresses: reachableAt(bound),
    driveId: replica.driveId,
    role: 'read',
    secret: replica.secret,
  }
}

/** The link stands alone on its line on standard output, for scripts; what explains it goes to standard error. */
function announce(link: ShareLink, replica: ShareReplica, terminal: Terminal): void {
  terminal.note(`sharing ${printable(replica.folder)} for reading; whoever has this link can fetch it:`)
  terminal.print(formatShareLink(link))
  terminal.note(`on the other machine: plait clone 'LINK' ${printable(basename(replica.folder) || 'folder')}`)
  if (link.addresses.every(isLoopback))
    terminal.note(
      'warning: only programs on this machine can reach it; use --listen with an address that others can reach',
    )
  terminal.note('Ctrl-C ends it')
}

function announceJson(link: ShareLink, replica: ShareReplica, terminal: Terminal): void {
  terminal.print(
    jsonLine({
      event: 'sharing',
      link: formatShareLink(link),
      folder: replica.folder,
      driveId: link.driveId,
      nodeId: link.nodeId,
      addresses: link.addresses.map(formatAddress),
      reachable: !link.addresses.every(isLoopback),
    }),
  )
}

/** What cannot be shared is said once, and not for each clone. */
function plainReporter(terminal: Terminal): (event: ShareEvent) => void {
  const told = new Set<string>()
  return (event) => {
    switch (event.kind) {
      case 'listed':
        return terminal.note(`${shortId(event.nodeId)} is fetching: ${countOf(event.entries, 'entry', 'entries')}`)
      case 'refused':
        return terminal.note(`${shortId(event.nodeId)} was refused: it does not know the secret`)
      case 'failed':
        return terminal.note(`${shortId(event.nodeId)} could not be served: ${printable(event.error.message)}`)
      case 'skipped':
        if (told.has(event.entry.path) || told.size > 10_000) return
        told.add(event.entry.path)
        return terminal.note(`not shared: ${printable(`${event.entry.path} ${event.entry.reason}`)}`)
    }
  }
}

function jsonReporter(terminal: Terminal): (event: ShareEvent) => void {
  return (event) => {
    const { kind } = event
    if (event.kind === 'skipped')
      return terminal.print(jsonLine({ event: kind, path: event.entry.path, reason: event.entry.reason }))
    if (event.kind === 'failed')
      return terminal.print(
        jsonLine({ event: kind, nodeId: event.nodeId, code: event.error.code, message: event.error.message }),
      )
    const { kind: _, ...facts } = event
    terminal.print(jsonLine({ event: kind, ...facts }))
  }
}

function shortId(nodeId: string): string {
  return `${nodeId.slice(0, 8)}...`
}
