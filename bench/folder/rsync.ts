import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stopServer } from './server-process.ts'
import type { Tool } from './tool.ts'

const module = 'folder'

/** The rsync daemon, which neither encrypts nor verifies: the limit for folders. */
export const rsync: Tool = {
  name: 'rsync',
  version: () => {
    const { stdout, error } = spawnSync('rsync', ['--version'], { encoding: 'utf8' })
    return error === undefined ? (stdout.split('\n')[0] ?? 'rsync').trim() : undefined
  },
  serve: async (folder, scratch) => {
    const port = await freePort()
    const config = join(scratch, 'rsyncd.conf')
    writeFileSync(config, configuration(folder))
    const child = spawn(
      'rsync',
      ['--daemon', '--no-detach', `--config=${config}`, '--address=127.0.0.1', `--port=${port}`],
      { stdio: 'ignore' },
    )
    if (child.pid === undefined) throw new Error('the rsync daemon did not start')
    await answering(port)
    return {
      pid: child.pid,
      fetch: (target) => ({
        command: ['rsync', '--archive', `rsync://127.0.0.1:${port}/${module}/`, `${target}/`],
        env: {},
      }),
      stop: () => stopServer(child, 'SIGTERM'),
    }
  },
}

function configuration(folder: string): string {
  // Without these two, a daemon of the superuser reads as nobody.
  const owner = process.getuid?.() === 0 ? 'uid = 0\ngid = 0\n' : ''
  return `use chroot = no\n${owner}[${module}]\npath = ${folder}\nread only = yes\n`
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const socket = connect(port, '127.0.0.1')
    const answered = await new Promise<boolean>((resolve) =>
      socket.once('data', () => resolve(true)).once('error', () => resolve(false)),
    )
    socket.destroy()
    if (answered) return
    await sleep(50)
  }
  throw new Error(`the rsync daemon does not answer on port ${port}`)
}
