import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const names = { near: 'plaitnear', far: 'plaitfar' }
/** Of the block that is for examples: nothing on any network has them. */
const addresses = { near: '192.0.2.1', far: '192.0.2.2' }
const linkAddresses = { near: '02:00:00:00:00:01', far: '02:00:00:00:00:02' }
const sides = ['near', 'far'] as const

export type Side = (typeof sides)[number]

/**
 * Two network namespaces with one cable between them: whoever runs in one of them reaches the other and nothing else, and what
 * goes over is counted outside of it. Linux, and the rights to make them.
 */
export class Cable {
  readonly addresses: Readonly<Record<Side, string>> = addresses
  readonly #holders: Readonly<Record<Side, ChildProcess>>

  private constructor(holders: Record<Side, ChildProcess>) {
    this.#holders = holders
  }

  static async lay(): Promise<Cable> {
    const holders = { near: hold(), far: hold() }
    try {
      await Promise.all(sides.map((side) => apart(holders[side])))
      const cable = new Cable(holders)
      cable.#join()
      return cable
    } catch (error) {
      for (const side of sides) holders[side].kill('SIGKILL')
      throw error
    }
  }

  /** A command line that runs a command on one side. The process that it starts becomes that command. */
  command(side: Side, command: readonly string[]): string[] {
    return ['nsenter', `--net=/proc/${this.#holders[side].pid}/ns/net`, '--', ...command]
  }

  /** All that has gone over since it was laid, both ways, with the headers of IP and TCP and of the link. */
  get bytes(): number {
    const table = readFileSync(`/proc/${this.#holders.near.pid}/net/dev`, 'utf8')
    const line = table.split('\n').find((candidate) => candidate.trim().startsWith(`${names.near}:`))
    const fields = (line?.split(':')[1] ?? '').trim().split(/\s+/)
    return Number(fields[0]) + Number(fields[8])
  }

  /** Nothing passes, and nobody is told. */
  unplug(): void {
    this.#run('near', 'ip', 'link', 'set', names.near, 'down')
  }

  plug(): void {
    this.#run('near', 'ip', 'link', 'set', names.near, 'up')
  }

  /** Ends all connections at both ends. */
  reset(): void {
    for (const side of sides)
      this.#run(side, 'ss', '--kill', '--tcp', 'state', 'established', 'dst', addresses[otherOf(side)])
  }

  close(): void {
    for (const side of sides) this.#holders[side].kill('SIGKILL')
  }

  #run(side: Side, ...command: readonly string[]): void {
    const [file = '', ...args] = this.command(side, command)
    execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  }

  #join(): void {
    const { near, far } = this.#holders
    ip(
      ...['link', 'add', names.near, 'address', linkAddresses.near, 'netns', String(near.pid), 'type', 'veth'],
      ...['peer', 'name', names.far, 'address', linkAddresses.far, 'netns', String(far.pid)],
    )
    for (const side of sides) {
      const other = side === 'near' ? 'far' : 'near'
      const name = names[side]
      const run = (...args: string[]): void =>
        void execFileSync('nsenter', this.command(side, ['ip', ...args]).slice(1))
      // Nothing but the tools is to be counted: neither IPv6 that looks around, nor the question who has an address.
      run('link', 'set', name, 'addrgenmode', 'none')
      run('link', 'set', 'lo', 'up')
      run('address', 'add', `${addresses[side]}/24`, 'dev', name)
      run('link', 'set', name, 'up')
      run('neigh', 'replace', addresses[other], 'lladdr', linkAddresses[other], 'dev', name, 'nud', 'permanent')
    }
  }
}

function otherOf(side: Side): Side {
  return side === 'near' ? 'far' : 'near'
}

function hold(): ChildProcess {
  return spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
}

/** Until it is in a namespace of its own. */
async function apart({ pid }: ChildProcess): Promise<void> {
  const own = readlinkSync('/proc/self/ns/net')
  for (let tries = 0; tries < 500; tries += 1) {
    try {
      if (pid !== undefined && readlinkSync(`/proc/${pid}/ns/net`) !== own) return
    } catch {
      break
    }
    await sleep(10)
  }
  throw new Error('no network namespace can be made here: run as root, or by `unshare --user --map-root-user`')
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args)
}
