import { PlaitError } from '../../base/error.ts'
import { groups as openGroups } from '../../causal/groups.ts'
import type { Groups } from '../../causal/group-api.ts'
import type { Drive, DriveOptions } from '../../drive/drive-api.ts'
import { feeds as openFeeds } from '../../feed/feeds.ts'
import type { Feeds } from '../../feed/feed-api.ts'
import { readNetworkKeyFile } from '../../identity/network-key.ts'
import { createNode } from '../../node/create-node.ts'
import type { PlaitNode } from '../../node/node-api.ts'
import { formatAddress, formatUrl, parseAddress, parseUrl } from '../../node/url.ts'
import { openStore } from '../../store/open-store.ts'
import { reportConnection } from '../connection-report.ts'
import type { Work } from '../control/control-protocol.ts'
import { everyInterface, reachableAt } from '../listen-addresses.ts'
import { RunningProgram } from '../running-program.ts'
import type { Terminal } from '../terminal.ts'
import { version } from '../version.ts'
import { answerOfDrive } from './drive-control.ts'
import { pickOptions } from './picking.ts'
import { keyFileOf, readCopy, storeOf, writeCopy, type Copy } from './copy-state.ts'

/** Work of others that is under way gets this long to end when the program is told to stop. */
const farewellMs = 500

export interface HostFlags {
  readonly listen?: string
  readonly psk?: string
  readonly metrics?: string
  readonly json?: boolean
  /** Bytes a second, each way. */
  readonly limit?: number
}

export interface DriveHostOptions {
  readonly copy: Copy
  readonly role: Work['role']
  readonly flags: HostFlags
  readonly terminal: Terminal
  /** How long to look for another node, also when the connection is lost on the way. */
  readonly waitMs: number
  /** What the copy is to be like is only tried, and not kept. */
  readonly isTrial?: boolean
}

/** The store of a copy of a drive, and the node that is its member here, for as long as a command runs. */
export class DriveHost implements AsyncDisposable {
  readonly copy: Copy
  readonly node: PlaitNode
  readonly #feeds: Feeds
  readonly #groups: Groups
  readonly #options: DriveHostOptions
  readonly #closing: AsyncDisposableStack
  #drive: Drive | undefined

  private constructor(
    options: DriveHostOptions,
    node: PlaitNode,
    feeds: Feeds,
    groups: Groups,
    closing: AsyncDisposableStack,
  ) {
    this.copy = options.copy
    this.#options = options
    this.node = node
    this.#feeds = feeds
    this.#groups = groups
    this.#closing = closing
  }

  /** Rejects with `KEY_IN_USE` while another program has the copy, `INVALID_ADDRESS`, `FILE_FAILED`. */
  static async open(options: DriveHostOptions): Promise<DriveHost> {
    await using closing = new AsyncDisposableStack()
    if (readCopy(options.copy.copyId) === undefined) writeCopy(options.copy)
    const node = await listen(options)
    closing.defer(() => node.close({ signal: AbortSignal.timeout(farewellMs) }))
    const store = closing.use(await openStore(storeOf(options.copy.copyId)))
    const feeds = closing.use(await openFeeds(node, store))
    const groups = closing.use(openGroups(feeds, { addresses: () => urlsOf(node) }))
    reportConnection(node, options.waitMs, options.terminal, options.flags.json === true)
    const port = node.addresses.flatMap((address) => parseUrl(address).addresses)[0]?.port
    const kept = (options.isTrial === true ? readCopy(options.copy.copyId) : undefined) ?? options.copy
    writeCopy({ ...kept, nodeId: node.id, ...(port !== undefined && { port }) })
    return new DriveHost(options, node, feeds, groups, closing.move())
  }

  /** Opens the drive, and lets this user's other programs ask about it. */
  async use(open: (options: DriveOptions) => Promise<Drive>, isWatching: boolean): Promise<Drive> {
    const { copy, terminal, flags, role } = this.#options
    const place = { feeds: this.#feeds, groups: this.#groups, folder: copy.folder, copy: copy.copyId, isWatching }
    const parts = { ...place, ...pickOptions(copy, flags.limit) }
    const drive = this.#closing.use(await open(parts))
    this.#drive = drive
    const work = (): Work => ({
      ...{ role, folder: copy.folder, driveId: drive.id },
      ...(role !== 'share' && { progress: drive.status().progress }),
    })
    const { metrics, json = false } = flags
    this.#closing.use(
      await RunningProgram.open({
        ...{ node: this.node, work, terminal, json, metrics },
        control: (request) => answerOfDrive(drive, this.node, request),
      }),
    )
    return drive
  }

  get drive(): Drive | undefined {
    return this.#drive
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#closing.disposeAsync()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Where others reach a node. */
export function urlsOf(node: PlaitNode): readonly string[] {
  const bound = node.addresses.flatMap((address) => parseUrl(address).addresses)
  return bound.length === 0 ? [] : [formatUrl({ nodeId: node.id, addresses: reachableAt(bound) })]
}

/** Listens where it did last time, so that links given out go on to work; if that is impossible, elsewhere, and says so. */
async function listen({ copy, flags, terminal, waitMs, role }: DriveHostOptions): Promise<PlaitNode> {
  const networkKey = flags.psk === undefined ? undefined : await readNetworkKeyFile(flags.psk)
  const create = (address: { host: string; port: number }): Promise<PlaitNode> =>
    createNode({
      keyFile: keyFileOf(copy.copyId),
      listen: [`tcp://${formatAddress(address)}`],
      application: { name: 'plait', version: version() },
      dialTimeoutMs: waitMs,
      resumeMs: waitMs,
      ...(networkKey === undefined ? {} : { networkKey }),
    })
  try {
    if (flags.listen !== undefined) return await create(parseAddress(flags.listen))
    const host = everyInterface()
    try {
      return await create({ host, port: copy.port ?? 0 })
    } catch (error) {
      if (copy.port === undefined || !PlaitError.is(error) || error.code === 'KEY_IN_USE') throw error
      if (role === 'share')
        terminal.note(
          `port ${copy.port} is taken: this share gets another one, and links given out earlier lead nowhere until it is free again`,
        )
      return await create({ host, port: 0 })
    }
  } catch (error) {
    if (!PlaitError.is(error) || error.code !== 'KEY_IN_USE') throw error
    const pid = String(error.facts['pid'] ?? 'unknown')
    const message =
      copy.origin === 'share'
        ? `this folder is being shared already, by process ${pid}; its link is good, or stop it first`
        : `process ${pid} keeps ${copy.folder} in sync already; wait for it, or stop it first`
    throw new PlaitError('KEY_IN_USE', message, { facts: error.facts, cause: error })
  }
}
