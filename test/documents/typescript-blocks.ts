import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../tidy/tree.ts'
import { fileOf, nameOf, type Block } from './blocks.ts'

const defaultTimeoutMs = 60_000

/** What came of running a block. */
export interface ExampleRun {
  readonly code: number | string | null
  readonly said: string
}

/**
 * A package beside the project in which the `ts` blocks of the documents stand as files, each a program of its own, that
 * imports `plait` as a user does, and the blocks that say their file. There `plait` is this source, so that nothing has to be built.
 */
export class ExamplePackage implements Disposable {
  readonly #folder: string
  readonly #fileByName = new Map<string, string>()

  constructor(blocks: readonly Block[]) {
    this.#folder = mkdtempSync(join(tmpdir(), 'plait-documents-'))
    const installed = join(this.#folder, 'node_modules/plait')
    mkdirSync(installed, { recursive: true })
    // Node strips types from files outside node_modules only; the link leads out of it.
    symlinkSync(join(root, 'src'), join(installed, 'src'), 'dir')
    const exports = { '.': './src/index.ts', './testing': './src/testing/index.ts' }
    writeJson(join(installed, 'package.json'), { name: 'plait', type: 'module', exports })
    // What else a user has installed.
    symlinkSync(join(root, 'node_modules/@bufbuild'), join(this.#folder, 'node_modules/@bufbuild'), 'dir')
    writeJson(join(this.#folder, 'package.json'), { type: 'module' })
    writeJson(join(this.#folder, 'tsconfig.json'), tsconfig())
    cpSync(new URL('example-runner.mjs', import.meta.url), join(this.#folder, 'runner.mjs'))
    for (const block of blocks) {
      const file = fileOf(block) ?? `${nameOf(block).replaceAll(/[^\w]+/g, '-')}.ts`
      if ([...this.#fileByName.values()].includes(file)) throw new Error(`two blocks are called ${file}`)
      writeFileSync(join(this.#folder, file), block.text)
      this.#fileByName.set(nameOf(block), file)
    }
  }

  /** What the compiler says about all the blocks, by block; the line is counted in the block. */
  compile(): ReadonlyMap<string, string[]> {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const run = spawnSync(process.execPath, [compiler, '-p', this.#folder, '--pretty', 'false'], {
      cwd: this.#folder,
      encoding: 'utf8',
    })
    const errors = new Map<string, string[]>([...this.#fileByName.keys()].map((name) => [name, []]))
    const elsewhere = []
    for (const line of run.stdout.split('\n').filter((text) => /error TS\d+/.test(text))) {
      const found = [...this.#fileByName].find(([, file]) => line.startsWith(`${file}(`))
      if (found === undefined) elsewhere.push(line)
      else errors.get(found[0])?.push(line)
    }
    if (elsewhere.length > 0) errors.set('elsewhere', elsewhere)
    else if (run.status !== 0 && [...errors.values()].flat().length === 0) throw new Error(run.stdout + run.stderr)
    return errors
  }

  /** Runs a block by itself; undefined when it ended well, else what went wrong. */
  async run(block: Block, timeoutMs: number = defaultTimeoutMs): Promise<string | undefined> {
    const { code, said } = await this.observe(block, {}, timeoutMs)
    if (code === 0) return undefined
    return code === 'SIGKILL'
      ? `it did not end by itself within ${timeoutMs} ms\n${said}`
      : `it ended with ${code}\n${said}`
  }

  /** Runs a block by itself, with this added to the environment, and tells how it ended and what it said. */
  async observe(
    block: Block,
    environment: NodeJS.ProcessEnv = {},
    timeoutMs: number = defaultTimeoutMs,
  ): Promise<ExampleRun> {
    const cwd = mkdtempSync(join(this.#folder, 'run-'))
    const file = this.#fileByName.get(nameOf(block)) ?? ''
    const { PLAIT_SEED: _seed, VITEST: _vitest, ...outside } = process.env
    const child = spawn(process.execPath, [join(this.#folder, 'runner.mjs'), join(this.#folder, file)], {
      cwd,
      env: { ...outside, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    let said = ''
    child.stdout.on('data', (text: Uint8Array) => (said += String(text)))
    child.stderr.on('data', (text: Uint8Array) => (said += String(text)))
    return new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code: code ?? signal, said }))
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function tsconfig(): unknown {
  return {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: ['*.ts'],
    exclude: [],
  }
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value))
}
