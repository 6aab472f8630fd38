import { randomBytes } from 'node:crypto'
import type { Topics } from '../../broadcast/broadcast-api.ts'
import { formatNetworkLink, parseNetworkLink, type NetworkLink } from '../../broadcast/network-link.ts'
import { topics as joinTopics } from '../../broadcast/topics.ts'
import { isLoopback } from '../../drive/address.ts'
import { createNode } from '../../node/create-node.ts'
import type { PlaitNode } from '../../node/node-api.ts'
import { formatAddress, formatUrl, parseAddress, parseUrl } from '../../node/url.ts'
import { programResumeMs } from '../connection-report.ts'
import { everyInterface, reachableAt } from '../listen-addresses.ts'
import { jsonLine, printable } from '../printable.ts'
import { RunningProgram } from '../running-program.ts'
import type { Terminal } from '../terminal.ts'
import { version } from '../version.ts'
import type { TopicFlags } from './topic-flags.ts'

/** What was sent gets this long to arrive when the program ends. */
const farewellMs = 2_000
const keyBytes = 32
/** Of those that are told to others. */
const addressesMax = 4

export interface TopicHostOptions {
  /** By which to join; a network of its own begins without one. */
  readonly link: string | undefined
  readonly flags: TopicFlags
  readonly terminal: Terminal
}

/** A member of a network, for as long as a command runs. */
export class TopicHost implements AsyncDisposable {
  readonly node: PlaitNode
  readonly topics: Topics
  /** By which others join, through this member. */
  readonly link: NetworkLink
  #closing = new AsyncDisposableStack()

  private constructor(node: PlaitNode, topics: Topics, link: NetworkLink) {
    this.node = node
    this.topics = topics
    this.link = link
  }

  /** Rejects with `INVALID_LINK`, `INVALID_ADDRESS`, `KEY_FILE`, `KEY_IN_USE`. */
  static async open({ link: text, flags, terminal }: TopicHostOptions): Promise<TopicHost> {
    const invitation = text === undefined ? undefined : parseNetworkLink(text)
    const networkKey = invitation?.networkKey ?? Uint8Array.from(randomBytes(keyBytes))
    const address = flags.listen === undefined ? { host: everyInterface(), port: 0 } : parseAddress(flags.listen)
    await using closing = new AsyncDisposableStack()
    const node = await createNode({
      ...(flags.key !== undefined && { keyFile: flags.key }),
      listen: [`tcp://${formatAddress(address)}`],
      networkKey,
      application: { name: 'plait', version: version() },
      resumeMs: programResumeMs,
    })
    closing.defer(() => node.close({ signal: AbortSignal.timeout(farewellMs) }))
    const addresses = reachableAt(node.addresses.flatMap((url) => parseUrl(url).addresses))
    const topics = closing.use(
      joinTopics(node, {
        open: 'anyone',
        join: invitation === undefined ? [] : [formatUrl(invitation)],
        addresses: addresses.slice(0, addressesMax).map(formatAddress),
      }),
    )
    const { metrics, json = false } = flags
    const work = (): { role: 'topics'; folder: string; members: number } => ({
      role: 'topics',
      folder: topics.network,
      members: topics.members.length,
    })
    closing.use(await RunningProgram.open({ node, terminal, json, metrics, work }))
    const host = new TopicHost(node, topics, { nodeId: node.id, addresses, networkKey })
    host.#closing = closing.move()
    return host
  }

  /** Says by which link others join. */
  announce(topic: string, terminal: Terminal, json: boolean): void {
    const link = formatNetworkLink(this.link)
    const isReachable = !this.link.addresses.every(isLoopback)
    if (json) {
      terminal.print(jsonLine({ event: 'member', nodeId: this.node.id, link, isReachable }))
      return
    }
    terminal.note('whoever has this link joins, to read and to write; so do the links of the others who are here:')
    terminal.note(link)
    if (!isReachable)
      terminal.note(
        'warning: only programs on this machine can reach it; use --listen with an address that others can reach',
      )
    terminal.note(`on another machine: plait sub ${printable(topic)} 'LINK'; Ctrl-C ends it`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closing.disposeAsync()
  }
}
