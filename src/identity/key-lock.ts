import { PlaitError } from '../base/error.ts'
import { lockForProcess, type LockAttempt } from '../runtime/system/process-lock.ts'

/** Takes the lock of the key at `file`; the result frees it. Beside the key stand `.lock` and, while it is in use, `.pid`. */
export async function lockKeyFile(file: string): Promise<() => void> {
  const attempt = await attemptLock(file)
  if (attempt.kind === 'taken') return attempt.release
  const { pid, isThisProcess } = attempt
  if (pid === undefined) {
    throw new PlaitError('KEY_IN_USE', `another program uses the key file ${file}; stop it, or take another key file`, {
      facts: { path: file },
    })
  }
  const holder = isThisProcess ? `this process (pid ${pid})` : `the process with pid ${pid}`
  throw new PlaitError('KEY_IN_USE', `${holder} uses the key file ${file}; stop it, or take another key file`, {
    facts: { path: file, pid },
  })
}

async function attemptLock(file: string): Promise<LockAttempt> {
  try {
    return await lockForProcess(file)
  } catch (error) {
    const path = `${file}.lock`
    const isDamaged = error instanceof Error && 'errcode' in error
    const message = isDamaged
      ? `cannot lock ${path}; if it is damaged, remove it while no program uses the key`
      : `cannot make the lock ${path}; the folder of a key file must exist and be writable`
    throw new PlaitError('KEY_FILE', message, { cause: error, facts: { path } })
  }
}
