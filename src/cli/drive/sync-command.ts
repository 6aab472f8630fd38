import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import { fileError, systemCode } from '../../drive/disk/file-error.ts'
import { openDrive } from '../../drive/drive.ts'
import { programResumeMs } from '../connection-report.ts'
import { metricsFlag, metricsHelp } from '../running-program.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { copyAt, listCopies, writeCopy, type Copy } from './copy-state.ts'
import { DriveHost, type HostFlags } from './drive-host.ts'
import { addPickFlags, addReadOnlyFlags, picked, type PickFlags } from './picking.ts'
import { reportPreview } from './preview-report.ts'
import { fetchOnce, keepInSync } from './sync-work.ts'
import { connected } from './visit.ts'

interface SyncFlags extends HostFlags, PickFlags {
  readonly once?: boolean
  readonly dryRun?: boolean
  readonly allowDeletions?: boolean
}

export function addSyncCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('sync')
    .description(
      'Keep a folder that was shared or cloned here in sync with the other machines, both ways, until Ctrl-C.',
    )
    .argument('<DIR>', 'the folder')
    .option('--once', 'end when it is the same as what the others have')
    .option('--allow-deletions', 'do once what is asked about: delete most of the files')
    .option('--dry-run', 'say what would be done, and do nothing')
  addReadOnlyFlags(addPickFlags(command))
    .option('--listen <HOST:PORT>', 'where to listen; every interface and a port that stays the same if left out')
    .option('--psk <FILE>', 'the key of a private network, made with `plait psk`')
    .option(metricsFlag, metricsHelp)
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait sync ./photos')
    .action(async (folder: string, flags: SyncFlags) => done(await sync(folder, flags, terminal)))
}

async function sync(path: string, flags: SyncFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const copy = picked(knownCopy(path), flags)
  if (flags.dryRun === true) return await previewSync(copy, flags, terminal, stop.signal)
  writeCopy(copy)
  const startedMs = performance.now()
  const waitMs = programResumeMs
  await using host = await DriveHost.open({ copy, role: 'sync', flags, terminal, waitMs })
  const drive = await host.use((options) => openDrive(copy.driveId, options), flags.once !== true)
  if (flags.allowDeletions === true) drive.allowDeletions()
  const json = flags.json === true
  const work = { drive, terminal, json, opening: 'looking for the others', waitMs, signal: stop.signal, startedMs }
  return flags.once === true ? await fetchOnce(work) : await keepInSync(work, stop)
}

async function previewSync(
  copy: Copy & { readonly driveId: string },
  flags: SyncFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { json = false } = flags
  const waitMs = programResumeMs
  await using host = await DriveHost.open({ copy, role: 'sync', flags, terminal, waitMs, isTrial: true })
  const drive = await host.use((options) => openDrive(copy.driveId, { ...options, isPassive: true }), false)
  if (!json) terminal.live('looking for the others')
  await drive.ready({ signal })
  await connected(drive, programResumeMs, signal)
  if (drive.status().connected > 0) await drive.caughtUp({ signal })
  else if (!json) terminal.note('nobody else can be reached now: this is what is known here')
  const preview = await drive.preview({ signal })
  terminal.live('')
  reportPreview(preview, terminal, json)
  return 0
}

/** Whether this machine keeps a copy whose folder was there. */
function isRemembered(folder: string): boolean {
  return listCopies().some((copy) => copy.folder === folder && copy.origin !== 'visit' && copy.driveId !== undefined)
}

/** The copy that a folder is. Throws `INVALID_ARGUMENT`, in words that say what to do. */
export function knownCopy(path: string): Copy & { readonly driveId: string } {
  let folder: string
  try {
    folder = realpathSync(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && isRemembered(resolve(path)))
      throw new PlaitError(
        'FILE_FAILED',
        `${path} was shared or cloned here, and does not exist now; name a folder that is there, or mount its disk`,
        { facts: { path } },
      )
    if (systemCode(error) === 'ENOENT')
      throw new PlaitError('FILE_FAILED', `${path} does not exist; name a folder that was shared or cloned here`, {
        facts: { path },
      })
    throw fileError(error, path)
  }
  const copy = copyAt(folder)
  if (copy?.driveId !== undefined) return { ...copy, driveId: copy.driveId }
  if (isRemembered(folder))
    throw new PlaitError(
      'FILE_FAILED',
      `${path} was shared or cloned here, but its marker in .plait/ is gone: perhaps its disk is not mounted; mount it, or clone into a new folder with \`plait clone\``,
      { facts: { path } },
    )
  throw new PlaitError(
    'INVALID_ARGUMENT',
    `${path} is neither shared nor cloned here; begin with \`plait share\` or \`plait clone\``,
  )
}
