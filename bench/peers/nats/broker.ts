import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programPath } from '../../harness/missing.ts'
import { certificate, key } from '../raw/certificate.ts'

const patienceMs = 10_000

/** A nats-server of its own for each run, on loopback, gone with the process that started it. */
export class Broker {
  readonly pid: number
  readonly address: string

  private constructor(child: ChildProcess, port: string) {
    this.pid = child.pid ?? 0
    this.address = `tls://127.0.0.1:${port}`
  }

  static version(): string {
    return execFileSync(path(), ['--version'], { encoding: 'utf8' }).trim().replace(': v', ' ')
  }

  static async start(): Promise<Broker> {
    const folder = mkdtempSync(join(tmpdir(), 'plait-bench-nats-'))
    writeFileSync(join(folder, 'key.pem'), key)
    writeFileSync(join(folder, 'certificate.pem'), certificate)
    writeFileSync(join(folder, 'server.conf'), configuration(folder))
    const child = spawn(path(), ['--config', join(folder, 'server.conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
    process.on('exit', () => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    })
    return new Broker(child, await portOf(child))
  }
}

function path(): string {
  const found = programPath('nats-server')
  if (found === undefined) throw new Error('nats-server is not installed')
  return found
}

function configuration(folder: string): string {
  const files = ['key', 'certificate'].map((name) => JSON.stringify(join(folder, `${name}.pem`)))
  return `listen: "127.0.0.1:-1"\ntls { key_file: ${files[0]}, cert_file: ${files[1]} }\n`
}

/** The server says in its log where it listens, because it was told to choose. */
function portOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = ''
    const fail = (why: string): void => reject(new Error(`nats-server ${why}\n${log}`))
    const expired = setTimeout(() => fail(`was not ready within ${patienceMs / 1_000} s`), patienceMs)
    child.once('error', reject)
    child.once('exit', (code) => fail(`ended with ${code}`))
    child.stderr?.on('data', (chunk: Uint8Array) => {
      log += Buffer.from(chunk).toString()
      const port = /client connections on [\d.]+:(\d+)/.exec(log)?.[1]
      if (port === undefined || !log.includes('Server is ready')) return
      clearTimeout(expired)
      resolve(port)
    })
  })
}
