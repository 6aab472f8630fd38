import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CrdtJob, CrdtMessage, CrdtResult } from './job.ts'

const endFile = fileURLToPath(new URL('end.ts', import.meta.url))
const defaultTimeoutMs = 1_200_000

/** Does one job in a process of its own, which is gone when this resolves. Rejects with what went wrong there. */
export async function inOwnProcess(job: CrdtJob, timeoutMs: number = defaultTimeoutMs): Promise<CrdtResult> {
  const child = fork(endFile, [JSON.stringify(job)], {
    execArgv: ['--expose-gc', '--max-old-space-size=8192'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  let message: CrdtMessage | undefined
  child.on('message', (told: CrdtMessage) => (message = told))
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  if (message === undefined) throw new Error(`its process ended (${signal ?? code})`)
  if ('failed' in message) throw new Error(message.failed)
  return message.result
}
