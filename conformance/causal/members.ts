import { fileURLToPath } from 'node:url'
import type { GroupMemberSnapshot } from 'plait'
import { Far, makeFolder } from '../feeds/far.ts'

const file = fileURLToPath(new URL('./holder.ts', import.meta.url))

/** What takes the operations: see holder.ts. */
export type Mode = 'apply' | 'list' | 'replica'

export interface Listed {
  readonly dot: string
  readonly text: string
  readonly at: number
}

export interface MemberFacts {
  readonly clock: Readonly<Record<string, number>>
  readonly lengths: Readonly<Record<string, number>>
  readonly members: readonly GroupMemberSnapshot[]
  readonly feeds: readonly { readonly writer: string; readonly delivered: number; readonly received: number }[]
  readonly events: readonly string[]
  readonly joinedMs: number
  readonly role?: string
  readonly node: string
  readonly sent: number
  readonly received: number
  /** Bytes of blocks that are here. */
  readonly held: number
}

export interface MemberOptions {
  readonly heartbeatMs?: number
  readonly resumeMs?: number
}

/** A member in a process of its own, in whose folder another process can go on. */
export class Member {
  readonly folder: string
  readonly mode: Mode
  readonly #options: MemberOptions
  far: Far

  private constructor(folder: string, mode: Mode, options: MemberOptions, far: Far) {
    this.folder = folder
    this.mode = mode
    this.#options = options
    this.far = far
  }

  static async start(mode: Mode, options: MemberOptions = {}): Promise<Member> {
    const folder = makeFolder()
    return new Member(folder, mode, options, await startFar(folder, mode, options))
  }

  /** The founder of a new group, and so many others that have joined it by its link. */
  static async group(mode: Mode, others: number, options: MemberOptions = {}): Promise<Member[]> {
    const members = await Promise.all(Array.from({ length: others + 1 }, () => Member.start(mode, options)))
    const [founder, ...joining] = members as [Member, ...Member[]]
    await founder.ask('create', { name: 'team' })
    const link = await founder.ask<string>('invite')
    for (const member of joining) await member.ask('join', { link })
    for (const member of members) await member.joined(members.length)
    return members
  }

  ask<Result>(name: string, args: object = {}): Promise<Result> {
    return this.far.ask<Result>(name, args)
  }

  facts(): Promise<MemberFacts> {
    return this.ask<MemberFacts>('facts')
  }

  /** The feed in which it writes. */
  async writer(): Promise<string> {
    const { members, node } = await this.facts()
    return members.find((member) => member.node === node)?.feeds.at(-1) ?? ''
  }

  listed(from = 0): Promise<readonly Listed[]> {
    return this.ask('listed', { count: from })
  }

  /** Resolves when it can write, and knows of so many members that are connected to it, itself among them. */
  async joined(count: number): Promise<void> {
    await until(async () => {
      const { role, members, node, joinedMs } = await this.facts()
      const connected = members.filter(({ isConnected, node: other }) => isConnected || other === node)
      return role !== undefined && joinedMs > 0 && connected.length >= count
    })
  }

  freeze(): void {
    this.far.program.signal('SIGSTOP')
  }

  async wake(): Promise<void> {
    this.far.program.signal('SIGCONT')
    await this.far.reconnect()
  }

  /** kill -9, then another process on the same folder, which has the group open. */
  async killAndStart(): Promise<void> {
    await this.far.program.kill('SIGKILL')
    await this.startAgain()
  }

  async startAgain(): Promise<void> {
    this.far = await startFar(this.folder, this.mode, this.#options)
    await this.ask('open')
  }
}

function startFar(folder: string, mode: Mode, options: MemberOptions): Promise<Far> {
  return Far.start(folder, { file, args: [mode, JSON.stringify(options)] })
}

/** Resolves when it holds; rejects after 60 s. */
export async function until(holds: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`it did not come true within ${timeoutMs} ms: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** m1 to mN, or a part of them. */
export function texts(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `m${from + index}`)
}
