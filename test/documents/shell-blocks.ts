import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../tidy/tree.ts'
import { nameOf, type Block } from './blocks.ts'

const timeoutMs = 20_000
const otherStreamMs = 500
const link = /^.*(plait:\/\/\S+\/(?:d\/\S+|f|t|g\/\S+)#\S+).*$/m

/**
 * The `sh` blocks of one document, run from top to bottom in one folder, with `plait` being what was built and `photos/` there to
 * share. A block that prints a link, or says that Ctrl-C ends it, goes on running, as `plait share` does, while the next ones run; in them
 * the word LINK stands for the last link. At the end it is interrupted as by Ctrl-C, and must end well.
 */
export class ShellSession {
  readonly #home: string
  readonly #folder: string
  readonly #serving: {
    readonly block: Block
    readonly child: ChildProcess
    readonly ended: Promise<string | undefined>
  }[] = []
  #link = 'LINK'

  constructor() {
    this.#home = mkdtempSync(join(tmpdir(), 'plait-shell-'))
    this.#folder = join(this.#home, 'folder')
    mkdirSync(join(this.#folder, 'photos/2024'), { recursive: true })
    writeFileSync(join(this.#folder, 'photos/harbour.jpg'), new Uint8Array(200_000).fill(7))
    writeFileSync(join(this.#folder, 'photos/2024/market.jpg'), 'a small picture')
    const programs = join(this.#home, 'bin')
    mkdirSync(programs)
    const program = `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/main.js')}' "$@"\n`
    writeFileSync(join(programs, 'plait'), program, { mode: 0o755 })
  }

  /** Runs the next block; undefined when it ended well or serves, else what went wrong. */
  async run(block: Block): Promise<string | undefined> {
    const child = spawn(
      'bash',
      ['-euo', 'pipefail', '-c', block.text.replaceAll(/'LINK'|\bLINK\b/g, `'${this.#link}'`)],
      {
        cwd: this.#folder,
        env: this.#environment(),
        stdio: ['ignore', 'pipe', 'pipe'],
        // A group of its own, so that an interrupt reaches what the shell has started, as at a terminal.
        detached: true,
      },
    )
    let said = ''
    const ended = new Promise<string | undefined>((resolve) => {
      child.once('close', (code, signal) =>
        resolve(code === 0 ? undefined : `it ended with ${code ?? signal}\n${said}`),
      )
    })
    const serving = new Promise<'serving'>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        let lines = ''
        stream.on('data', (text: Uint8Array) => {
          said += String(text)
          lines += String(text)
          const whole = lines.slice(0, lines.lastIndexOf('\n') + 1)
          const found = link.exec(whole)?.[1]
          if (found !== undefined) this.#link = found
          if (found !== undefined) resolve('serving')
          // What it has said on the other stream may come later.
          else if (/Ctrl-C ends it$/m.test(whole)) setTimeout(resolve, otherStreamMs, 'serving')
        })
      }
    })
    const result = await within(Promise.race([ended, serving]), child)
    if (result === 'late') return `it did not end within ${timeoutMs} ms\n${said}`
    if (result !== 'serving') return result
    this.#serving.push({ block, child, ended })
    return undefined
  }

  /** Interrupts what still serves; what went wrong with it, by block. */
  async end(): Promise<string[]> {
    const failures: string[] = []
    for (const { block, child, ended } of this.#serving) {
      signalGroup(child, 'SIGINT')
      const result = await within(ended, child)
      if (result !== undefined) failures.push(`${nameOf(block)}: after Ctrl-C: ${result}`)
    }
    rmSync(this.#home, { recursive: true, force: true })
    return failures
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      // What this machine has compiled once: half of the start of each program.
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      PATH: `${join(this.#home, 'bin')}:${process.env['PATH'] ?? ''}`,
      HOME: this.#home,
      XDG_STATE_HOME: join(this.#home, 'state'),
      XDG_CONFIG_HOME: join(this.#home, 'config'),
      XDG_RUNTIME_DIR: join(this.#home, 'runtime'),
      LANG: 'C.UTF-8',
    }
  }
}

async function within<Value>(promise: Promise<Value>, child: ChildProcess): Promise<Value | 'late'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => {
      signalGroup(child, 'SIGKILL')
      resolve('late')
    }, timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal)
}
