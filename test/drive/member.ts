import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { groups as openGroups } from '../../src/causal/groups.ts'
import type { Groups, InviteOptions } from '../../src/causal/group-api.ts'
import type { Drive, DriveOptions, DriveProblem, DriveReport } from '../../src/drive/drive-api.ts'
import { createDrive, joinDrive, openDrive } from '../../src/drive/drive.ts'
import type { Feeds } from '../../src/feed/feed-api.ts'
import { feeds as openFeeds } from '../../src/feed/feeds.ts'
import { memoryTransport } from '../../src/link/memory/memory-transport.ts'
import type { MemoryNetwork } from '../../src/link/memory/memory-transport.ts'
import { createNode } from '../../src/node/create-node.ts'
import type { PlaitNode } from '../../src/node/node-api.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/open-store.ts'

export interface MemberPlace {
  readonly base: string
  readonly network: MemoryNetwork
}

/** A member of a drive in this process: a real folder and a real store, and a network in memory. */
export class Member {
  readonly folder: string
  readonly problems: DriveProblem[] = []
  readonly conflicts: string[] = []
  readonly #store: Store
  readonly #feeds: Feeds
  readonly #groups: Groups
  readonly node: PlaitNode
  #drive: Drive | undefined

  private constructor(folder: string, node: PlaitNode, store: Store, feeds: Feeds, groups: Groups) {
    this.folder = folder
    this.node = node
    this.#store = store
    this.#feeds = feeds
    this.#groups = groups
  }

  static async open({ base, network }: MemberPlace, name: string): Promise<Member> {
    const folder = join(base, name)
    mkdirSync(folder, { recursive: true })
    const node = await createNode({
      keyFile: join(base, `${name}.key`),
      listen: [`memory://${name}:${name.charCodeAt(0)}`],
      transports: ({ identity }) => [memoryTransport({ network, id: identity.id })],
    })
    const store = await openStore(join(base, `${name}.store`))
    const feeds = await openFeeds(node, store)
    return new Member(folder, node, store, feeds, openGroups(feeds, { acknowledgeMs: 100 }))
  }

  get drive(): Drive {
    if (this.#drive === undefined) throw new Error('there is no drive yet')
    return this.#drive
  }

  async create(options: Partial<DriveOptions> = {}): Promise<this> {
    return this.#use(await createDrive(this.#options(options)))
  }

  async join(link: string, options: Partial<DriveOptions> = {}): Promise<this> {
    return this.#use(await joinDrive(link, this.#options(options)))
  }

  async reopen(options: Partial<DriveOptions> = {}): Promise<this> {
    const [id = ''] = await this.#groups.list()
    return this.#use(await openDrive(id, this.#options(options)))
  }

  invite(options?: InviteOptions): Promise<string> {
    return this.drive.invite(options)
  }

  async sync(): Promise<DriveReport> {
    return this.drive.sync()
  }

  path(path: string): string {
    return join(this.folder, path)
  }

  async close(): Promise<void> {
    await this.#drive?.close()
    await this.#groups.close()
    await this.#feeds.close()
    await this.node.close()
    await this.#store.close()
  }

  #options(options: Partial<DriveOptions>): DriveOptions {
    const { folder } = this
    return { feeds: this.#feeds, groups: this.#groups, folder, isWatching: false, isSynced: false, ...options }
  }

  #use(drive: Drive): this {
    this.#drive = drive
    drive.addEventListener('problem', ({ detail }) => this.problems.push(detail))
    drive.addEventListener('conflict', ({ detail }) => this.conflicts.push(detail.path))
    return this
  }
}

/** Until all know the same, and have nothing left to do. */
export async function bringTogether(...members: readonly Member[]): Promise<void> {
  const known = (): readonly string[] =>
    members.map(({ drive }) =>
      drive
        .entries()
        .map(({ path, version }) => `${path} ${version.mode} ${version.mtimeNs} ${version.root.join()}`)
        .join('\n'),
    )
  for (let before = ''; ;) {
    for (const member of members) await member.sync()
    while (new Set(known()).size > 1) await new Promise((resolve) => setTimeout(resolve, 10))
    const [now = ''] = known()
    if (now === before) return
    before = now
  }
}
