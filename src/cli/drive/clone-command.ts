import { resolve } from 'node:path'
import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import { folderState } from '../../drive/disk/folder-state.ts'
import type { Drive } from '../../drive/drive-api.ts'
import { parseDriveLink } from '../../drive/drive-link.ts'
import type { DriveLink } from '../../drive/drive-link.ts'
import { joinDrive, openDrive } from '../../drive/drive.ts'
import { formatAddress } from '../../node/url.ts'
import { programResumeMs } from '../connection-report.ts'
import { firstLine } from '../first-line.ts'
import { wholeNumber } from '../flag-values.ts'
import { metricsFlag, metricsHelp } from '../running-program.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { copyAt, markerAt, newCopyId, readCopy, removeCopy, writeCopy, type Copy } from './copy-state.ts'
import { DriveHost, type HostFlags } from './drive-host.ts'
import { explainedShare } from './join-text.ts'
import { addPickFlags, addReadOnlyFlags, picked, type PickFlags } from './picking.ts'
import { previewClone } from './clone-preview.ts'
import { keepInSync, fetchOnce } from './sync-work.ts'

interface CloneFlags extends HostFlags, PickFlags {
  readonly wait: number
  readonly once?: boolean
  readonly dryRun?: boolean
  readonly merge?: boolean
}

export function addCloneCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('clone')
    .description('Fetch a shared folder, and keep it as it is on the other side until Ctrl-C. Run again, it goes on.')
    .argument('<LINK>', 'the link that `plait share` printed, in quotes; - reads it from standard input')
    .argument('<DIR>', 'where to put it: a new or an empty folder, or one that it was put in before')
    .option('--once', 'end when everything is there')
    .option('--merge', 'a folder with something in it: what is in both places and differs stays twice')
    .option('--dry-run', 'say what would be fetched, and do nothing in the folder')
  addReadOnlyFlags(addPickFlags(command))
    .option('--listen <HOST:PORT>', 'where to listen; every interface and a port that stays the same if left out')
    .option('--psk <FILE>', 'the key of a private network, made with `plait psk`')
    .option(
      '--wait <SECONDS>',
      'how long to look for the sharing side, also when the connection is lost on the way',
      wholeNumber(1, 86_400),
      programResumeMs / 1_000,
    )
    .option(metricsFlag, metricsHelp)
    .option('--json', 'print lines of JSON')
    .addHelpText(
      'after',
      "\nExample:\n  plait clone 'plait://...' ./photos\n\nExit code: 0 when everything is there, 1 when something is not.",
    )
    .action(async (link: string, folder: string, flags: CloneFlags) => done(await clone(link, folder, flags, terminal)))
}

async function clone(linkText: string, path: string, flags: CloneFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const text = (linkText === '-' ? await firstLine(stop.signal) : linkText).trim()
  const link = parseDriveLink(text)
  const copy = picked(targetOf(path, link, flags.merge === true), flags)
  const isNew = copy.driveId === undefined
  const waitMs = flags.wait * 1_000
  const startedMs = performance.now()
  if (flags.dryRun === true) return await previewClone(text, copy, flags, terminal, stop.signal)
  let isJoined = !isNew
  try {
    await using host = await DriveHost.open({ copy, role: 'clone', flags, terminal, waitMs })
    const opening = `connecting to ${link.addresses.map(formatAddress).join(', ')}`
    if (terminal.interactive && flags.json !== true) terminal.live(opening)
    const drive = await host.use(async (options) => {
      const drive = await enter(text, copy, { ...options, signal: stop.signal })
      isJoined = true
      writeCopy({ ...(readCopy(copy.copyId) ?? copy), driveId: drive.id })
      return drive
    }, flags.once !== true)
    const work = { drive, terminal, json: flags.json === true, opening, waitMs, signal: stop.signal, startedMs }
    return flags.once === true ? await fetchOnce(work) : await keepInSync(work, stop)
  } finally {
    terminal.live('')
    if (!isJoined) removeCopy(copy.copyId)
  }
}

async function enter(
  link: string,
  copy: Copy,
  options: Parameters<typeof joinDrive>[1] & { readonly signal: AbortSignal },
): Promise<Drive> {
  if (copy.driveId !== undefined) return openDrive(copy.driveId, options)
  try {
    return await joinDrive(link, options)
  } catch (error) {
    throw explainedShare(error, link)
  }
}

/** The copy into which a drive is to go; changes nothing. Throws `NOT_EMPTY` for a folder that has something else in it. */
function targetOf(path: string, link: DriveLink, isMerging: boolean): Copy {
  const folder = resolve(path)
  const state = folderState(folder)
  const facts = { path: folder }
  if (state === 'not-a-folder')
    throw new PlaitError('FILE_FAILED', `${folder} is not a folder; name a new or an empty one`, { facts })
  const marker = markerAt(folder)
  const known = marker?.drive === link.driveId ? copyAt(folder) : undefined
  if (known?.origin === 'clone') return known
  const fresh: Copy = { copyId: newCopyId(), folder, origin: 'clone' }
  if (state !== 'filled' || (isMerging && marker === undefined)) return fresh
  const what =
    marker === undefined
      ? 'is not empty'
      : marker.drive === link.driveId
        ? 'is the shared folder itself'
        : 'belongs to another drive'
  const merge = marker === undefined ? ', or add --merge to bring both together' : ''
  throw new PlaitError('NOT_EMPTY', `${folder} ${what}; name a new or an empty folder${merge}`, { facts })
}
