import { type ChildProcess, spawn } from 'node:child_process'

const startTimeoutMs = 60_000

/** Starts a server and resolves when `ready` has made something of what it printed so far; rejects when it ends before. */
export function startServer<Ready>(
  command: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  ready: (printed: string) => Ready | undefined,
): Promise<{ child: ChildProcess; pid: number; ready: Ready }> {
  const [file, ...args] = command
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  return new Promise((resolve, reject) => {
    let printed = ''
    const fail = (why: string): void => {
      child.kill('SIGKILL')
      reject(new Error(`${command.join(' ')}: ${why}\n${printed}`))
    }
    const expired = setTimeout(() => fail('not ready in time'), startTimeoutMs)
    const look = (chunk: Uint8Array | string): void => {
      printed += String(chunk)
      const found = ready(printed)
      if (found === undefined || child.pid === undefined) return
      clearTimeout(expired)
      child.removeListener('exit', ended)
      resolve({ child, pid: child.pid, ready: found })
    }
    const ended = (code: number | null): void => {
      clearTimeout(expired)
      fail(`ended with ${code}`)
    }
    child.once('exit', ended)
    child.once('error', (error) => fail(error.message))
    child.stdout.on('data', look)
    child.stderr.on('data', look)
  })
}

/** Sends `signal`, kills what does not end within 5 s, resolves when the process is gone. */
export async function stopServer(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  const expired = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(expired)
}
