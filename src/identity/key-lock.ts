import { open, readFile } from 'node:fs/promises'
import { unlinkSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { PlaitError } from '../base/error.ts'

/**
 * Takes the lock of the key at `file`; the result frees it. The lock is SQLite's exclusive lock on an empty database beside the
 * key: the only lock of the operating system within reach without native code, so the kernel frees it however the process
 * dies. It holds against a second open in the same process too. The pid beside it is only for the message.
 */
export async function lockKeyFile(file: string): Promise<() => void> {
  const lockPath = `${file}.lock`
  const pidPath = `${file}.pid`
  await createPrivate(lockPath)
  const database = tryLock(lockPath)
  if (database === undefined) throw await inUse(file, pidPath)
  quietly(() => writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 }))
  return () => {
    quietly(() => unlinkSync(pidPath))
    database.close()
  }
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
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return
    throw new PlaitError(
      'KEY_FILE',
      `cannot make the lock ${lockPath}; the folder of a key file must exist and be writable`,
      {
        cause: error,
        facts: { path: lockPath },
      },
    )
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
    throw new PlaitError(
      'KEY_FILE',
      `cannot lock ${lockPath}; if it is damaged, remove it while no program uses the key`,
      {
        cause: error,
        facts: { path: lockPath },
      },
    )
  }
}

const sqliteBusy = 5

async function inUse(file: string, pidPath: string): Promise<PlaitError> {
  const pid = Number.parseInt(await readFile(pidPath, 'utf8').catch(() => ''), 10)
  if (!Number.isSafeInteger(pid)) {
    return new PlaitError(
      'KEY_IN_USE',
      `another program uses the key file ${file}; stop it, or take another key file`,
      { facts: { path: file } },
    )
  }
  const holder = pid === process.pid ? `this process (pid ${pid})` : `the process with pid ${pid}`
  return new PlaitError('KEY_IN_USE', `${holder} uses the key file ${file}; stop it, or take another key file`, {
    facts: { path: file, pid },
  })
}

/** The pid is only a hint: a full disk must not keep anybody from the key. */
function quietly(run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}
