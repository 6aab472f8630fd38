import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { End } from './end.ts'
import type { Server } from './server.ts'

const port = 22_000
const key = 'bench'
/** Off, as nothing but the other end is to be met. */
const off = [
  'globalAnnounceEnabled',
  'localAnnounceEnabled',
  'relaysEnabled',
  'natEnabled',
  'startBrowser',
  'crashReportingEnabled',
]

/** What Syncthing says of a folder. */
export interface FolderState {
  readonly state: string
  readonly globalFiles: number
  readonly globalDirectories: number
  readonly localFiles: number
  readonly needTotalItems: number
  readonly sequence: number
  readonly globalBytes: number
}

/** One Syncthing, with a home of its own, told what to do by its own interface at a socket in that home. */
export class SyncthingInstance {
  readonly device: string
  readonly #end: End
  readonly #home: string
  #server: Server | undefined

  constructor(end: End) {
    this.#end = end
    this.#home = end.scratch
    const env = { ...process.env, HOME: this.#home, STNOUPGRADE: '1' }
    const about = ['--home', this.#home]
    execFileSync('syncthing', ['generate', ...about, '--no-default-folder'], { env, stdio: 'ignore' })
    this.device = execFileSync('syncthing', ['serve', ...about, '--device-id'], { env, encoding: 'utf8' }).trim()
    const file = join(this.#home, 'config.xml')
    let text = readFileSync(file, 'utf8')
    const put = (name: string, value: string): void => {
      text = text.replace(new RegExp(`<${name}>[^<]*</${name}>`), `<${name}>${value}</${name}>`)
    }
    for (const name of off) put(name, 'false')
    put('listenAddress', `tcp://${end.address}:${port}`)
    put('urAccepted', '-1')
    put('autoUpgradeIntervalH', '0')
    writeFileSync(file, text)
  }

  get address(): string {
    return `tcp://${this.#end.address}:${port}`
  }

  get isRunning(): boolean {
    return this.#server?.isOver === false
  }

  async start(): Promise<void> {
    const gui = [`--gui-address=unix://${this.#socket}`, `--gui-apikey=${key}`]
    const quiet = ['--no-browser', '--no-upgrade', '--no-restart']
    this.#server = this.#end.start(['syncthing', 'serve', '--home', this.#home, ...quiet, ...gui], {
      HOME: this.#home,
      STNOUPGRADE: '1',
    })
    await this.#server.until('does not answer', async () => {
      return await this.ask('GET', 'system/ping').then(
        () => true,
        () => undefined,
      )
    })
  }

  async stop(): Promise<void> {
    if (this.#server !== undefined) await this.#end.stop(this.#server, 'SIGTERM')
  }

  async befriend(other: SyncthingInstance): Promise<void> {
    const device = { deviceID: other.device, addresses: [other.address], compression: 'metadata' }
    await this.ask('PUT', `config/devices/${other.device}`, device)
  }

  async add(folder: string, other: SyncthingInstance, delaySeconds: number): Promise<void> {
    const devices = [{ deviceID: this.device }, { deviceID: other.device }]
    const about = { path: folder, type: 'sendreceive', fsWatcherEnabled: true, fsWatcherDelayS: delaySeconds }
    await this.ask('PUT', 'config/folders/bench', { id: 'bench', label: 'bench', devices, ...about })
  }

  async state(): Promise<FolderState> {
    return (await this.ask('GET', 'db/status?folder=bench')) as FolderState
  }

  /** Until the folder is as `test` wants it. */
  async waits(test: (state: FolderState) => boolean): Promise<FolderState> {
    for (;;) {
      // For a moment there is none after it was added.
      const state = await this.state().catch(() => undefined)
      if (state !== undefined && test(state)) return state
      if (!this.isRunning) throw new Error('syncthing ended')
      await sleep(20)
    }
  }

  ask(method: string, path: string, body?: object): Promise<unknown> {
    const headers = { 'X-API-Key': key, ...(body !== undefined && { 'Content-Type': 'application/json' }) }
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.#socket, path: `/rest/${path}`, method, headers }, (response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        response.on('end', () => {
          if (response.statusCode !== 200)
            return reject(new Error(`syncthing: ${path}: ${response.statusCode} ${text}`))
          resolve(text === '' ? undefined : JSON.parse(text))
        })
      })
      asked.on('error', reject)
      asked.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  get #socket(): string {
    return join(this.#home, 'gui.sock')
  }
}
