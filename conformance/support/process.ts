import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createConnection } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, onTestFinished } from 'vitest'

// Real programs in tests: started by this very Node, signalled by their own pid, and gone when the test is over. Nothing is
// started through npm or npx, whose death leaves the program alive.

/** The built program, as a user's `plait` runs it. */
export const plaitProgram: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface ProgramOptions {
  readonly cwd?: string
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** For Node itself, before the file: `--max-old-space-size=64`. */
  readonly nodeArgs?: readonly string[]
  /** Which processors it may use, as `taskset -c` takes them; all of them when absent. */
  readonly processors?: string | undefined
  /** Whether it has a standard input, which `write` and `endInput` are for. */
  readonly input?: boolean
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface WaitOptions {
  /** 30,000 when absent. */
  readonly timeoutMs?: number
}

export interface LineOptions extends WaitOptions {
  /** `stdout` when absent. */
  readonly stream?: 'stdout' | 'stderr'
}

/** All that a program said until it ended. */
export interface Outcome extends Exit {
  readonly stdout: string
  readonly stderr: string
}

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>

/** A running Node program. Its streams are read from the start, so that nothing it says is lost and no pipe fills. */
export class Program {
  readonly pid: number
  readonly exited: Promise<Exit>
  stdout = ''
  stderr = ''
  #child: Child
  #changed: (() => void)[] = []
  #exit: Exit | undefined

  constructor(child: Child) {
    if (child.pid === undefined) throw new Error('the program could not be started')
    this.pid = child.pid
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#change(() => (this.stdout += text)))
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#change(() => (this.stderr += text)))
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#change(() => (this.#exit = { code, signal }))
        resolve({ code, signal })
      })
    })
  }

  get running(): boolean {
    return this.#exit === undefined
  }

  /** The first whole line, from the program's start on, that matches. Rejects when it ends or time is up without it. */
  async line(pattern: RegExp, { timeoutMs = 30_000, stream = 'stdout' }: LineOptions = {}): Promise<RegExpExecArray> {
    return this.#until(timeoutMs, `a line that matches ${pattern}`, () => {
      const whole = this[stream].slice(0, this[stream].lastIndexOf('\n') + 1)
      return whole.split('\n').reduce<RegExpExecArray | null>((found, line) => found ?? pattern.exec(line), null)
    })
  }

  /** Writes to its standard input, which it was started with `input` for. */
  write(text: string | Uint8Array): void {
    if (this.#child.stdin === null) throw new Error('the program was started without a standard input')
    this.#child.stdin.write(text)
  }

  /** Ends its standard input. */
  endInput(): void {
    this.#child.stdin?.end()
  }

  /** Sends the signal to this pid and no other. */
  signal(name: NodeJS.Signals): void {
    if (this.running) process.kill(this.pid, name)
  }

  /** Waits for the end; what the program said is whole then. Rejects when time is up. */
  async outcome(options: WaitOptions = {}): Promise<Outcome> {
    const exit = await this.#until(options.timeoutMs ?? 30_000, 'its end', () => this.#exit ?? null, true)
    return { ...exit, stdout: this.stdout, stderr: this.stderr }
  }

  /** Sends the signal, waits for the end, and checks that the pid is free. */
  async kill(name: NodeJS.Signals = 'SIGKILL', options: WaitOptions = {}): Promise<Exit> {
    this.signal(name)
    const exit = await this.outcome(options)
    if (isAlive(this.pid)) throw new Error(`pid ${this.pid} has ended, and is still there`)
    return exit
  }

  async #until<Value>(timeoutMs: number, what: string, look: () => Value | null, atEnd = false): Promise<Value> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const value = look()
      if (value !== null) return value
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) throw new Error(`waited ${timeoutMs} ms for ${what}\n${this.#said()}`)
      if (!this.running && !atEnd) throw new Error(`the program ended before ${what}\n${this.#said()}`)
      await this.#nextChange(leftMs)
    }
  }

  async #nextChange(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#changed.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #change(apply: () => void): void {
    apply()
    for (const wake of this.#changed.splice(0)) wake()
  }

  #said(): string {
    const end = this.#exit === undefined ? 'still running' : `ended with ${this.#exit.code ?? this.#exit.signal}`
    return `pid ${this.pid}, ${end}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`
  }

  /** The last resort when a test is over: no waiting, no exception. */
  reap(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Starts `node FILE ARGS`. It is killed when the test ends that started it, or the file's last test when a hook did. */
export function startProgram(file: string, args: readonly string[] = [], options: ProgramOptions = {}): Program {
  const command = [process.execPath, ...(options.nodeArgs ?? []), file, ...args]
  // It becomes Node, and keeps its pid.
  if (options.processors !== undefined) command.unshift('taskset', '-c', options.processors)
  const child = spawn(command[0]!, command.slice(1), {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [options.input === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  }) as Child
  // A program may end before it has read all.
  child.stdin?.on('error', () => {})
  const program = new Program(child)
  live.add(program)
  killAtEnd(program)
  return program
}

/** Runs `node FILE ARGS` to its end. */
export async function runProgram(
  file: string,
  args: readonly string[] = [],
  options: ProgramOptions & WaitOptions = {},
): Promise<Outcome> {
  return startProgram(file, args, options).outcome({ timeoutMs: options.timeoutMs ?? 30_000 })
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Whether somebody listens there. */
export async function isListening(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

const live = new Set<Program>()

function killAtEnd(program: Program): void {
  const end = async (): Promise<void> => {
    live.delete(program)
    if (!program.running) return
    // A stopped process takes SIGKILL too.
    program.reap()
    await program.exited
  }
  try {
    onTestFinished(end)
  } catch {
    // Not inside a test: `afterAll` below ends it.
  }
}

afterAll(async () => {
  for (const program of live) {
    program.reap()
    await program.exited
  }
})

process.once('exit', () => {
  for (const program of live) program.reap()
})
