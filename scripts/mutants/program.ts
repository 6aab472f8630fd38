import { spawn } from 'node:child_process'

export interface Outcome {
  /** The exit code; undefined when it was ended by a signal. */
  readonly code: number | undefined
  /** It had not ended by itself when its time was up. */
  readonly late: boolean
  /** What it has printed. */
  readonly output: string
}

const running = new Set<number>()

/** Runs a program in `folder`, and ends it with all that it has started when its time is up. */
export function runProgram(
  program: string,
  args: readonly string[],
  { folder, timeoutMs }: { readonly folder: string; readonly timeoutMs: number },
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    // A group of its own, to be ended as a whole: a worker in an endless loop outlives its parent.
    const child = spawn(program, args, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const { pid } = child
    if (pid !== undefined) running.add(pid)
    let output = ''
    let late = false
    const collect = (text: Uint8Array): void => void (output += String(text))
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const deadline = setTimeout(() => {
      late = true
      if (pid !== undefined) endGroup(pid)
    }, timeoutMs)
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(deadline)
      if (pid !== undefined) running.delete(pid)
      resolve({ code: code ?? undefined, late, output })
    })
  })
}

/** Ends whatever runs. */
export function endPrograms(): void {
  for (const pid of running) endGroup(pid)
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
