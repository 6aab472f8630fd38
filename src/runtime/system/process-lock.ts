import { unlinkSync, writeFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

export type LockAttempt =
  | { readonly kind: 'taken'; readonly release: () => void }
  /** By the process with this number, or by one that has not said which it is. */
  | { readonly kind: 'held'; readonly pid: number | undefined; readonly isThisProcess: boolean }

/**
 * Takes the lock `PATH.lock` for this process. It is SQLite's exclusive lock on an empty database: the only lock of the operating system
 * within reach without native code, so the kernel frees it however the process dies. It holds against a second attempt in the same process
 * too. `PATH.pid` beside it is only for messages. What the system reports is thrown as it is.
 */
export async function lockForProcess(path: string): Promise<LockAttempt> {
  const lockPath = `${path}.lock`
  const pidPath = `${path}.pid`
  await createPrivate(lockPath)
  const database = tryLock(lockPath)
  if (database === undefined) {
    const pid = Number.parseInt(await readFile(pidPath, 'utf8').catch(() => ''), 10)
    return { kind: 'held', pid: Number.isSafeInteger(pid) ? pid : undefined, isThisProcess: pid === process.pid }
  }
  held.add(database)
  quietly(() => writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 }))
  const release = (): void => {
    if (!held.delete(database)) return
    quietly(() => unlinkSync(pidPath))
    database.close()
  }
  return { kind: 'taken', release }
}

/**
 * SQLite would make the file readable by all, and who can read it can lock it. One that exists is never opened here: closing
 * any descriptor of a file drops all POSIX locks that this process has on it.
 */
async function createPrivate(lockPath: string): Promise<void> {
  try {
    const handle = await open(lockPath, 'wx', 0o600)
    await handle.close()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** The database with its lock held by an open transaction, or undefined when somebody else has it. */
function tryLock(lockPath: string): DatabaseSync | undefined {
  const database = new DatabaseSync(lockPath, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined
    throw error
  }
}

/** Else a lock would last until its database is collected as garbage: who takes one for good does not keep `release`. */
const held = new Set<DatabaseSync>()

const sqliteBusy = 5

/** The pid is only a hint: a full disk must not keep anybody from the lock. */
function quietly(run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}
