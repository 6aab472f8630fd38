import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PlaitError } from '../../base/error.ts'
import { lockForProcess, type LockAttempt } from '../../runtime/system/process-lock.ts'

/**
 * Makes this process the one owner of the store in a folder, which is made when it is missing; the result frees it, and so does the end
 * of the process, however it ends. Rejects with `STORE_IN_USE` (fact `pid`) while another one owns it.
 */
export async function lockStore(folder: string): Promise<() => void> {
  const attempt = await attemptLock(folder)
  if (attempt.kind === 'taken') return attempt.release
  const { pid, isThisProcess } = attempt
  const holder =
    pid === undefined ? 'another process' : isThisProcess ? `this process (pid ${pid})` : `the process with pid ${pid}`
  throw new PlaitError('STORE_IN_USE', `${holder} uses the store in ${folder}; stop it, or take another folder`, {
    facts: pid === undefined ? { path: folder } : { path: folder, pid },
  })
}

async function attemptLock(folder: string): Promise<LockAttempt> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return await lockForProcess(join(folder, 'store'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new PlaitError('FILE_FAILED', `cannot lock the store in ${folder}: ${why}`, {
      cause: error,
      facts: { path: folder },
    })
  }
}
