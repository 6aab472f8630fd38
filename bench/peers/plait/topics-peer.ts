import { setTimeout as sleep } from 'node:timers/promises'
import { createNode, type NodeId, parseUrl, type PlaitNode, type Topics, topics, type TopicsOptions } from 'plait'
import { InOrder } from '../in-order.ts'
import type { Channel, Connection, NodeProof, Outlet, Peer } from '../peer.ts'
import { proveNode } from './node-proof.ts'
import { installedVersion } from './plait-peer.ts'
import { allTopic, oneTopic, TopicsBroadcast, TopicsChannel } from './topics-channel.ts'

/** A round of questions takes as many seconds as there are members. */
const settleMsMax = 120_000
const lookMs = 500

/** plait's topics through their public door: the listening node and all dialling ones are members of one network. */
export class TopicsPeer implements Peer {
  readonly version: string = installedVersion()
  readonly settings: string
  readonly #options: Partial<TopicsOptions>
  readonly #nodes: PlaitNode[] = []
  readonly #members: Topics[] = []
  /** Of the listening end. */
  #own: Topics | undefined

  constructor(settings: string, behaviour: NonNullable<TopicsOptions['settings']>) {
    this.settings = settings
    this.#options = { settings: behaviour }
  }

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const { node, member } = await this.#join([])
    this.#own = member
    const channelsById = new Map<NodeId, TopicsChannel>()
    member.subscribe(oneTopic, ({ author, payload }) => {
      let channel = channelsById.get(author)
      if (channel === undefined) {
        channel = new TopicsChannel(member, author)
        channelsById.set(author, channel)
        accept(channel)
      }
      channel.take(payload)
    })
    const address = node.addresses[0]
    if (address === undefined) throw new Error('the node listens nowhere')
    return address
  }

  async dial(address: string): Promise<Connection> {
    const { member } = await this.#join([address])
    const channel = new TopicsChannel(member, parseUrl(address).nodeId)
    member.subscribe(oneTopic, ({ payload }) => channel.take(payload))
    const order = new InOrder((bytes) => channel.take(bytes))
    member.subscribe(allTopic, ({ payload }) => order.take(payload))
    await member.joined()
    return { open: () => Promise.resolve(channel) }
  }

  /** Each asks all others in turn whether they are there, which makes a connection to each. */
  async settled(): Promise<void> {
    for (let waitedMs = 0; waitedMs < settleMsMax; waitedMs += lookMs) {
      const counts = this.#members.map((member) => {
        const { connected, members } = member.snapshot()
        return members.length - 1 - connected.length
      })
      if (counts.every((missing) => missing <= 0)) return
      await sleep(lookMs)
    }
    throw new Error(`members have not connected with each other within ${settleMsMax / 1_000} s`)
  }

  broadcast(): Outlet {
    if (this.#own === undefined) throw new Error('nobody listens')
    return new TopicsBroadcast(this.#own)
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.all(this.#nodes.map(proveNode))
  }

  async #join(join: readonly string[]): Promise<{ readonly node: PlaitNode; readonly member: Topics }> {
    const node = await createNode({ listen: ['tcp://127.0.0.1:0'] })
    const member = topics(node, { ...this.#options, open: 'anyone', join })
    this.#nodes.push(node)
    this.#members.push(member)
    return { node, member }
  }
}
