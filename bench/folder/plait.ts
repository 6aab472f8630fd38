import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Server } from './server.ts'
import type { Copying, Ends, FolderTool } from './tool.ts'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const manifest = new URL('../../package.json', import.meta.url)
const port = 7_001
const sign = 'is-it-live'

/** `plait share`, `plait clone` and `plait sync`, as built. */
export const plait: FolderTool = {
  name: 'plait',
  settings: 'share --write; clone --once and sync --once, live by sync',
  // Node.js sets times by numbers that are not as fine as the system's.
  timesWithinNs: 1_000n,
  isLive: true,
  version: () =>
    existsSync(program)
      ? `plait ${(JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version}, Node.js ${process.version}`
      : undefined,
  open: async (ends) => {
    const sharing = new Sharing(ends)
    await sharing.ready()
    return sharing
  },
}

class Sharing implements Copying {
  readonly #ends: Ends
  readonly #share: Server
  #sync: Server | undefined
  #link = ''
  #isCloned = false

  constructor(ends: Ends) {
    this.#ends = ends
    const { near } = ends
    const where = `${near.address}:${port}`
    this.#share = near.start(
      this.#command('near', 'share', near.folder, '--write', '--json', '--listen', where),
      stateIn(near.scratch),
    )
  }

  /** Until it has seen all that is in the folder. */
  async ready(): Promise<void> {
    this.#link = await this.#share.says((printed) => /(plait:\/\/[^\s"]+)"/.exec(printed)?.[1])
    await this.#share.says(isSettled)
  }

  async once(): Promise<void> {
    const { far } = this.#ends
    const what = this.#isCloned ? ['sync', far.folder] : ['clone', this.#link, far.folder]
    await far.run(this.#command('far', ...what, '--once', '--listen', `${far.address}:${port}`), stateIn(far.scratch))
    this.#isCloned = true
  }

  async live(): Promise<void> {
    const { near, far } = this.#ends
    const where = `${far.address}:${port}`
    const sync = far.start(this.#command('far', 'sync', far.folder, '--json', '--listen', where), stateIn(far.scratch))
    this.#sync = sync
    // What goes over, and goes again, has gone by both that live.
    writeFileSync(join(near.folder, sign), '')
    await sync.until('has not brought a file', () => existsSync(join(far.folder, sign)) || undefined)
    rmSync(join(near.folder, sign))
    await sync.until('has not taken a file away', () => !existsSync(join(far.folder, sign)) || undefined)
  }

  async close(): Promise<void> {
    const { near, far } = this.#ends
    if (this.#sync !== undefined) await far.stop(this.#sync, 'SIGINT')
    await near.stop(this.#share, 'SIGINT')
  }

  #command(end: 'near' | 'far', ...args: readonly string[]): string[] {
    const { profileFolder, nodeArguments = [] } = this.#ends
    const profiled = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}/${end}`]
    return [process.execPath, ...nodeArguments, ...profiled, program, ...args]
  }
}

function isSettled(printed: string): true | undefined {
  return printed.includes('"event":"settled"') || undefined
}

function stateIn(folder: string): NodeJS.ProcessEnv {
  return { XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder, XDG_RUNTIME_DIR: folder }
}
