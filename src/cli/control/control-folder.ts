import { lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PlaitError } from '../../base/error.ts'
import { fileError, systemCode } from '../../drive/disk/file-error.ts'
import { stateDirectory } from '../drive/copy-state.ts'

/** The socket of one running program. */
export interface ControlAddress {
  readonly path: string
  /** The first characters of its node id. */
  readonly nodeIdStart: string
  readonly pid: number
}

const nodeIdStartCharacters = 8
const socketName = /^([a-z2-7]{8})-([1-9]\d{0,9})\.sock$/

/** Where running programs have their sockets: `$XDG_RUNTIME_DIR/plait`, or where plait keeps its state if that is unset. */
export function controlFolder(): string {
  const runtime = process.env['XDG_RUNTIME_DIR']
  return runtime?.startsWith('/') ? join(runtime, 'plait') : join(stateDirectory(), 'run')
}

/** Makes the folder if need be. Throws `FILE_FAILED` when it cannot be made, or others could get into it. */
export function makeControlFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw fileError(error, folder)
  }
  checkControlFolder(folder)
}

/**
 * False when there is none. Throws `FILE_FAILED` for one that belongs to somebody else or that others can get into: who can
 * put a socket there speaks in the name of this user's programs.
 */
export function checkControlFolder(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  if (stat === undefined) return false
  const refuse = (why: string): PlaitError =>
    new PlaitError('FILE_FAILED', `the folder of control sockets ${folder} ${why}`, { facts: { path: folder } })
  if (!stat.isDirectory()) throw refuse('is not a folder; take away what is there')
  if (stat.uid !== process.getuid?.())
    throw refuse('belongs to another user; set XDG_RUNTIME_DIR to a folder of your own')
  if ((stat.mode & 0o077) !== 0) throw refuse(`lets other users in; run: chmod 700 ${folder}`)
  return true
}

export function controlAddress(folder: string, nodeId: string, pid: number): ControlAddress {
  const nodeIdStart = nodeId.slice(0, nodeIdStartCharacters)
  return { path: join(folder, `${nodeIdStart}-${pid}.sock`), nodeIdStart, pid }
}

/** The sockets in the folder, also of programs that have ended without taking theirs away. Throws `FILE_FAILED`. */
export function listControlAddresses(folder: string): readonly ControlAddress[] {
  try {
    if (!checkControlFolder(folder)) return []
    return readdirSync(folder)
      .sort()
      .flatMap((name) => {
        const [, nodeIdStart, pid] = socketName.exec(name) ?? []
        return nodeIdStart === undefined ? [] : [{ path: join(folder, name), nodeIdStart, pid: Number(pid) }]
      })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw fileError(error, folder)
  }
}
