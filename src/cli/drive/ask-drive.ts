import { PlaitError } from '../../base/error.ts'
import type { Drive, VerifyOptions } from '../../drive/drive-api.ts'
import { openDrive } from '../../drive/drive.ts'
import { askPrograms } from '../control/control-client.ts'
import type { DriveAnswers, DriveRequest } from '../control/drive-requests.ts'
import type { Terminal } from '../terminal.ts'
import { answerTo } from './drive-control.ts'
import { DriveHost } from './drive-host.ts'
import { knownCopy } from './sync-command.ts'

export interface AskOptions extends VerifyOptions {
  readonly terminal: Terminal
  readonly json?: boolean
  /** Done first where no program keeps the folder in sync: the drive does nothing by itself then. */
  readonly prepare?: (drive: Drive) => Promise<unknown>
}

/** What is here of a drive is read in a moment; of one that was joined and never heard of again nothing is. */
const readyMs = 10_000

/** Asks the program that keeps a folder in sync, or, when there is none, looks at its store. */
export async function askDrive<Request extends DriveRequest>(
  path: string,
  request: Request,
  options: AskOptions,
): Promise<DriveAnswers[Request['command']]> {
  const { terminal, json = false, prepare, ...care } = options
  const copy = knownCopy(path)
  try {
    await using host = await DriveHost.open({ copy, role: 'sync', flags: { json }, terminal, waitMs: 1_000 })
    const drive = await host.use((parts) => openDrive(copy.driveId, { ...parts, isPassive: true }), false)
    await known(drive, care.signal)
    await prepare?.(drive)
    return await answerTo(drive, host.node, request, care)
  } catch (error) {
    const pid = PlaitError.is(error) && error.code === 'KEY_IN_USE' ? error.facts['pid'] : undefined
    if (typeof pid !== 'number') throw error
    const [asked] = await askPrograms(request, { pid })
    if (asked === undefined) throw error
    if (PlaitError.is(asked.answer)) throw asked.answer
    return asked.answer
  }
}

async function known(drive: Drive, signal: AbortSignal | undefined): Promise<void> {
  const late = AbortSignal.timeout(readyMs)
  try {
    await drive.ready({ signal: signal === undefined ? late : AbortSignal.any([signal, late]) })
  } catch (error) {
    if (!late.aborted || signal?.aborted === true) throw error
    throw new PlaitError(
      'UNREACHABLE',
      'nothing of this drive has come here yet; run `plait sync` while one of the others is there',
      { cause: error },
    )
  }
}
