import { createNode, parseUrl, type Topics, topics } from 'plait'
import { machineMs } from '../../groups/latency-log.ts'
import { takeOrders } from '../../harness/order-process.ts'
import type { Joining, Published, TopicFacts, TopicHandlers, TopicOrders } from '../../topics/order.ts'

// A process that is a member of one network, through plait's public door, listens to a topic and publishes there about each second; started
// by topics/talker-process.ts, which gives the orders.

const topic = 'soak'
const leastMs = 800
const mostMs = 1_200

let present: Topics | undefined
let published: Published[] = []
let heard: string[] = []
let isHushed = false

const handlers: TopicHandlers = {
  open,
  report: () => {
    const answer = { published, heard }
    published = []
    heard = []
    return answer
  },
  hush: () => {
    isHushed = true
    return {}
  },
  facts,
}

takeOrders(handlers)

async function open({ life, keyFile, port = 0, join }: Joining): Promise<TopicOrders['open']['answer']> {
  const node = await createNode({ listen: [`tcp://127.0.0.1:${port}`], keyFile })
  const url = node.addresses[0] ?? ''
  const member = topics(node, { open: 'anyone', join })
  present = member
  member.subscribe(topic, ({ payload }) => heard.push(new TextDecoder().decode(payload)))
  talk(member, life, 1)
  return { id: node.id, url, port: parseUrl(url).addresses[0]?.port ?? 0 }
}

function talk(member: Topics, life: number, number: number): void {
  setTimeout(
    () => {
      if (isHushed) return
      published.push({ number, atMs: machineMs() })
      member.publish(topic, new TextEncoder().encode(`${life}/${number}`))
      talk(member, life, number + 1)
    },
    leastMs + Math.random() * (mostMs - leastMs),
  )
}

function facts({ collect }: { readonly collect: boolean }): TopicFacts {
  if (collect) {
    // The second one takes what the first has only let go.
    globalThis.gc?.()
    globalThis.gc?.()
  }
  if (present === undefined) throw new Error('it is a member of nothing yet')
  const { heapUsed, external } = process.memoryUsage()
  const { members } = present
  const ids = members.filter(({ status }) => status === 'alive' || status === 'suspect').map(({ id }) => String(id))
  return { present: ids.toSorted(), heapBytes: heapUsed + external }
}
