import { realpathSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import { isLoopback } from '../../drive/address.ts'
import { fileError, systemCode } from '../../drive/disk/file-error.ts'
import { folderState } from '../../drive/disk/folder-state.ts'
import type { Drive } from '../../drive/drive-api.ts'
import { formatDriveLink, parseDriveLink } from '../../drive/drive-link.ts'
import { createDrive, openDrive } from '../../drive/drive.ts'
import { formatAddress, parseUrl } from '../../node/url.ts'
import { programResumeMs } from '../connection-report.ts'
import { reachableAt } from '../listen-addresses.ts'
import { jsonLine, printable } from '../printable.ts'
import { metricsFlag, metricsHelp } from '../running-program.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes } from '../units.ts'
import { copyAt, listCopies, newCopyId, readCopy, removeCopy, writeCopy, type Copy } from './copy-state.ts'
import { DriveHost, type HostFlags } from './drive-host.ts'
import { reportDrive } from './drive-report.ts'
import { addPickFlags, picked, type PickFlags } from './picking.ts'
import { previewShare } from './share-preview.ts'

interface ShareFlags extends HostFlags, Omit<PickFlags, 'readOnly'> {
  readonly write?: boolean
  readonly once?: boolean
  readonly dryRun?: boolean
}

export function addShareCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('share')
    .description('Share a folder: prints a link, and serves until Ctrl-C. The same folder has the same link next time.')
    .argument('<DIR>', 'the folder to share')
    .option('--write', 'whoever has the link may change the folder, too: it stays the same on all machines')
    .option('--once', 'end when somebody has everything')
    .option('--dry-run', 'say what would be shared, and do nothing')
  addPickFlags(command)
    .option('--listen <HOST:PORT>', 'where to listen; every interface and a port that stays the same if left out')
    .option('--psk <FILE>', 'the key of a private network, made with `plait psk`: nobody else can connect')
    .option(metricsFlag, metricsHelp)
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait share ./photos --listen 192.168.1.5:7001')
    .action(async (folder: string, flags: ShareFlags) => done(await share(folder, flags, terminal)))
}

async function share(path: string, flags: ShareFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const json = flags.json === true
  const copy = picked(copyToShare(path), flags)
  if (flags.dryRun === true) {
    previewShare(copy, terminal, json)
    return 0
  }
  const isNew = copy.driveId === undefined
  try {
    await using host = await DriveHost.open({ copy, role: 'share', flags, terminal, waitMs: programResumeMs })
    const { driveId } = copy
    const drive = await host.use(
      (options) =>
        driveId === undefined ? createDrive({ ...options, name: basename(copy.folder) }) : openDrive(driveId, options),
      true,
    )
    writeCopy({ ...known(copy), driveId: drive.id })
    reportDrive(drive, terminal, { json, verb: 'shared' })
    reportMembers(drive, host.node.id, terminal, json)
    const link = await linkTo(drive, host, flags.write === true ? 'write' : 'read')
    if (json) announceJson(link, drive, terminal)
    else announce(link, drive, terminal)
    const tellSettled = (): void => {
      const files = drive.entries().filter(({ version }) => version.kind === 'file')
      const bytes = files.reduce((sum, { version }) => sum + version.size, 0)
      if (json) terminal.print(jsonLine({ event: 'settled', files: files.length, bytes }))
      else if (terminal.interactive) terminal.live(`${countOf(files.length, 'file')}, ${formatBytes(bytes)}`)
    }
    drive.addEventListener('settled', tellSettled)
    // A small folder is done with before there is a link.
    if (drive.status().phase === 'idle') tellSettled()
    if (flags.once !== true) await stop.stopped()
    else await untilCopied(drive, stop, terminal, json)
    return 0
  } finally {
    if (isNew && readCopy(copy.copyId)?.driveId === undefined) removeCopy(copy.copyId)
  }
}

/** Until somebody has everything, or the program is told to end, in which case it says so. */
async function untilCopied(drive: Drive, { signal }: StopSignals, terminal: Terminal, json: boolean): Promise<void> {
  await drive.sync({ signal })
  const nodeId = await drive.copied({ signal })
  terminal.live('')
  if (json) terminal.print(jsonLine({ event: 'copied', nodeId }))
  else terminal.note(`${nodeId.slice(0, 8)}... has everything`)
}

/** The copy that the folder is, or a new one. */
function copyToShare(path: string): Copy {
  let folder: string
  try {
    folder = realpathSync(path)
    if (folderState(folder) === 'not-a-folder')
      throw new PlaitError('FILE_FAILED', `${path} is not a folder; name a folder to share`, { facts: { path } })
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      throw new PlaitError('FILE_FAILED', `${path} does not exist; name a folder that does`, { facts: { path } })
    throw fileError(error, path)
  }
  const begun = listCopies().find((copy) => copy.folder === folder && copy.driveId === undefined)
  return copyAt(folder) ?? begun ?? { copyId: newCopyId(), folder, origin: 'share' }
}

/** With what the host has written down of it. */
function known(copy: Copy): Copy {
  const { nodeId, port } = readCopy(copy.copyId) ?? copy
  return { ...copy, ...(nodeId !== undefined && { nodeId }), ...(port !== undefined && { port }) }
}

/** The link of this role that was given out before, as it is now, or a new one. */
async function linkTo(drive: Drive, { copy, node }: DriveHost, role: 'read' | 'write'): Promise<string> {
  const kept = readCopy(copy.copyId) ?? copy
  const before = kept.links?.[role]
  const link = before ?? (await drive.invite({ role }))
  if (before === undefined) writeCopy({ ...kept, driveId: drive.id, links: { ...kept.links, [role]: link } })
  const bound = node.addresses.flatMap((address) => parseUrl(address).addresses)
  return formatDriveLink({ ...parseDriveLink(link), nodeId: node.id, addresses: reachableAt(bound) })
}

/** The link stands alone on its line on standard output, for scripts; what explains it goes to standard error. */
function announce(text: string, { folder }: Drive, terminal: Terminal): void {
  const link = parseDriveLink(text)
  const what =
    link.role === 'write' ? 'reading and writing; whoever has this link can' : 'reading; whoever has this link can'
  terminal.note(`sharing ${printable(folder)} for ${what} fetch it:`)
  terminal.print(text)
  terminal.note(`on the other machine: plait clone 'LINK' ${printable(basename(folder) || 'folder')}`)
  if (link.addresses.every(isLoopback))
    terminal.note(
      'warning: only programs on this machine can reach it; use --listen with an address that others can reach',
    )
  terminal.note('Ctrl-C ends it')
}

function announceJson(text: string, { folder, id }: Drive, terminal: Terminal): void {
  const { nodeId, addresses, role } = parseDriveLink(text)
  const reachable = !addresses.every(isLoopback)
  const facts = { link: text, folder, driveId: id, role, nodeId, addresses: addresses.map(formatAddress), reachable }
  terminal.print(jsonLine({ event: 'sharing', ...facts }))
}

function reportMembers({ group }: Drive, self: string, terminal: Terminal, json: boolean): void {
  const told = new Set(group.members.map(({ node }) => node as string).concat(self))
  group.addEventListener('members', ({ detail }) => {
    for (const { node, role } of detail.members) {
      if (told.has(node)) continue
      told.add(node)
      if (json) terminal.print(jsonLine({ event: 'joined', nodeId: node, role }))
      else terminal.note(`${node.slice(0, 8)}... has joined, and may ${role === 'read' ? 'read' : 'write'}`)
    }
  })
}
