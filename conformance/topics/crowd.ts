import { setTimeout as sleep } from 'node:timers/promises'
import { createNode, topics } from 'plait'
import type { BroadcastSettings, Circuit, PlaitNode, PublishReport, Topics } from 'plait'

// Some members of a network in one process, each a node of its own, that do what the test asks for over a circuit, as ../feeds/holder.ts
// does. It prints its address.
//
//   crowd.ts NOTHING SETTINGS      SETTINGS: JSON, of topics

const topic = 'news'
const settings = JSON.parse(process.argv[3] ?? '{}') as Partial<BroadcastSettings>

interface Member {
  readonly node: PlaitNode
  readonly topics: Topics
  readonly heard: string[]
}

interface Arguments {
  readonly count: number
  readonly addresses: readonly string[]
  readonly id: string
  readonly gapMs: number
  readonly first: number
}

const membersById = new Map<string, Member>()

function member(id: string): Member {
  const found = membersById.get(id)
  if (found === undefined) throw new Error(`${id} is not here`)
  return found
}

async function join(addresses: readonly string[]): Promise<{ readonly id: string; readonly address: string }> {
  const node = await createNode({ listen: ['tcp://127.0.0.1:0'] })
  const own = topics(node, { open: 'anyone', join: addresses, settings })
  const heard: string[] = []
  own.subscribe(topic, ({ payload }) => heard.push(new TextDecoder().decode(payload)))
  membersById.set(node.id, { node, topics: own, heard })
  return { id: node.id, address: node.addresses[0] ?? '' }
}

const commands: Record<string, (arguments_: Arguments) => Promise<unknown>> = {
  async join({ count, addresses }) {
    const joined: { readonly id: string; readonly address: string }[] = []
    for (let index = 0; index < count; index += 1)
      joined.push(await join(addresses.length > 0 ? addresses : joined.slice(0, 1).map(({ address }) => address)))
    return joined
  },
  /** One message after the other; resolves with what is said of each in the end. */
  async publish({ id, first, count, gapMs }) {
    const { topics: own } = member(id)
    const reports: Promise<PublishReport>[] = []
    for (let number = first; number < first + count; number += 1) {
      reports.push(own.publish(topic, new TextEncoder().encode(`m${number}`)).report())
      console.log(`published ${number}`)
      await sleep(gapMs)
    }
    return Promise.all(reports)
  },
  /** Who is there, as each of them sees it. */
  views: async () => [...membersById.values()].map(({ topics: own }) => own.members.map(({ id }) => id).toSorted()),
  heard: async () => Object.fromEntries([...membersById].map(([id, { heard }]) => [id, heard])),
  async facts() {
    const snapshots = [...membersById.values()].map(({ topics: own }) => own.snapshot())
    const bodies = snapshots.reduce((sum, { counts }) => sum + counts.bodiesSent, 0)
    return { bodies, shapes: snapshots.map(({ shape }) => shape) }
  },
  async leave({ id }) {
    const { node, topics: own } = member(id)
    membersById.delete(id)
    await own.close()
    await node.close()
  },
}

async function serve(circuit: Circuit): Promise<void> {
  for await (const { subject, payload, part } of circuit) {
    const run = commands[subject]
    const answer = async (): Promise<void> => {
      try {
        const result = await run?.(JSON.parse(new TextDecoder().decode(payload)) as Arguments)
        circuit.send({ part, payload: new TextEncoder().encode(JSON.stringify({ result })) })
      } catch (error) {
        circuit.send({ part, payload: new TextEncoder().encode(JSON.stringify({ error: String(error) })) })
      }
    }
    void answer().catch(() => {})
  }
}

await using control = await createNode({ listen: ['tcp://127.0.0.1:0'] })
control.register('control', { open: 'anyone', start: 'anyone' }, async (peer) => {
  for await (const circuit of peer.incoming) void serve(circuit).catch(() => {})
})
console.log(control.addresses[0])
await new Promise((resolve) => process.once('SIGTERM', resolve))
