import { setTimeout as sleep } from 'node:timers/promises'
import { createNode, createReplica, feeds, formatDot, groups, openStore, orSet, tcpTransport, textValue } from 'plait'
import type { Circuit, DeliveryTransaction, Group, GroupDelivery, ReplicaOf, ReplicationLevel } from 'plait'
import { Routes } from './routes.ts'

// A member of a group, in a folder, that does what the test asks for over a circuit, as ../feeds/holder.ts does. It prints its address,
// and `acked NUMBER of its text` when a publish has resolved.
//
//   holder.ts FOLDER MODE [OPTIONS]      OPTIONS: JSON, `heartbeatMs` and `resumeMs` of the node
//
// MODE says what takes the operations: `apply` counts each text in the tables of the handler, `list` remembers what comes,
// `replica` is a set of texts.

const startedMs = performance.now()
const [folder = '', mode = 'list', options = '{}'] = process.argv.slice(2)
const { heartbeatMs, resumeMs } = JSON.parse(options) as { heartbeatMs?: number; resumeMs?: number }
const routes = new Routes()
await using node = await createNode({
  listen: ['tcp://127.0.0.1:0'],
  keyFile: `${folder}.key`,
  ...(heartbeatMs === undefined ? {} : { limits: { heartbeatMs } }),
  ...(resumeMs === undefined ? {} : { resumeMs }),
  transports: (parts) => [routes.over(tcpTransport(parts))],
})
await using store = await openStore(folder)
await using shared = await feeds(node, store)
await using all = groups(shared)

interface Listed {
  readonly dot: string
  readonly text: string
  readonly at: number
}

interface Arguments {
  readonly name: string
  readonly link: string
  readonly texts: readonly string[]
  readonly replication?: ReplicationLevel
  readonly count: number
  readonly ports: readonly number[]
  readonly prefix: string
  readonly route: readonly (readonly [number, number])[]
  readonly bytes: number
}

type Replica = ReplicaOf<{ tags: ReturnType<typeof orSet<string>> }>

let group: Group | undefined
let replica: Replica | undefined
let joinedMs = 0
const listed: Listed[] = []
const reply = new Map<string, string>()
const waiting: { probe: string; resolve: (counts: unknown) => void }[] = []
const events: string[] = []

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

async function apply({ payload, dot }: GroupDelivery, transaction: DeliveryTransaction): Promise<void> {
  const said = text(payload)
  const before = await transaction.read('counts', payload)
  transaction.put('counts', payload, Uint8Array.of((before?.[0] ?? 0) + 1))
  listed.push({ dot: formatDot(dot), text: said, at: Date.now() })
  const probe = waiting.find((one) => one.probe === said)
  if (probe === undefined) return
  // What the tables say of m1 to mN.
  const counts: number[] = []
  for (let index = 1; index <= Number(said.split(' ')[1]); index += 1)
    counts.push((await transaction.read('counts', bytes(`m${index}`)))?.[0] ?? 0)
  probe.resolve(counts)
}

async function list(from: Group): Promise<void> {
  for await (const delivery of from.deliveries()) {
    const { dot, payload } = delivery
    const said = text(payload)
    listed.push({ dot: formatDot(dot), text: said, at: Date.now() })
    delivery.ack()
    const answer = reply.get(said.split(' ')[0] ?? '')
    if (answer !== undefined) void from.publish(bytes(`${answer} ${said.split(' ')[1]}`)).catch(() => {})
  }
}

async function use(opened: Group): Promise<string> {
  group = opened
  opened.addEventListener('joined', () => (joinedMs = performance.now() - startedMs))
  for (const name of ['setaside', 'overturned', 'continued', 'failed'] as const)
    opened.addEventListener(name, ({ detail }) => events.push(`${name} ${JSON.stringify(detail)}`))
  if (mode === 'apply') opened.deliver(apply)
  else if (mode === 'list') void list(opened)
  else replica = await createReplica(opened, { tags: orSet(textValue()) })
  return opened.id
}

function current(): Group {
  if (group === undefined) throw new Error('there is no group yet')
  return group
}

const commands: Record<string, (arguments_: Arguments) => Promise<unknown>> = {
  create: async ({ name }) => use(await all.create({ name })),
  invite: async () => current().invite(),
  join: async ({ link }) => use(await all.join(link)),
  open: async () => use(await all.open((await all.list())[0] ?? '')),
  async route({ route }) {
    for (const [port, real] of route) routes.portByPort.set(port, real)
  },
  block: async ({ ports }) => routes.block(ports),
  /** One after the other; how long each took, in ms. */
  async publish({ texts, replication = 'local' }) {
    const durations: number[] = []
    for (const said of texts) {
      const begunAt = performance.now()
      const { number } = await current().publish(bytes(said), { replication })
      durations.push(performance.now() - begunAt)
      console.log(`acked ${number} of ${said}`)
    }
    return durations
  },
  /** Whoever hears NAME says the other one. */
  answer: async ({ name, prefix }) => void reply.set(name, prefix),
  listed: async ({ count }) => listed.slice(count),
  /** Resolves when so many have come, with when the last one did. */
  async has({ count }) {
    while (listed.length < count) await sleep(5)
    return listed[count - 1]?.at
  },
  /** What the tables of the handler say of m1 to mN. */
  async counts({ count }) {
    const probe = `probe ${count} ${Math.random()}`
    const answer = new Promise((resolve) => waiting.push({ probe, resolve }))
    await current().publish(bytes(probe))
    return answer
  },
  async add({ count, prefix, bytes: length }) {
    const adding: Promise<unknown>[] = []
    for (let index = 0; index < count; index += 1) {
      adding.push((replica as Replica).tags.add(`${prefix}${index} `.padEnd(length, 'x')))
      if (adding.length >= 256) await Promise.all(adding.splice(0))
    }
    await Promise.all(adding)
  },
  async state() {
    const { size } = (replica as Replica).tags
    return { size, hash: Buffer.from((replica as Replica).hash()).toString('hex') }
  },
  size: async () => (replica as Replica).tags.size,
  async facts() {
    const { clock, feeds: ordered, members } = current().snapshot()
    return {
      ...{ clock, members, events, joinedMs, feeds: ordered },
      ...{ role: current().role, node: node.id, sent: node.stats().bytes.sent, received: node.stats().bytes.received },
      held: shared.list().reduce((sum, { bytes }) => sum + bytes, 0),
      lengths: Object.fromEntries(shared.list().map(({ id, length }) => [id.slice(5), length])),
    }
  },
  close: async () => all.close(),
}

async function serve(circuit: Circuit): Promise<void> {
  for await (const { subject, payload, part } of circuit) {
    const run = commands[subject]
    const answer = async (): Promise<void> => {
      try {
        const result = await run?.(JSON.parse(text(payload)) as Arguments)
        circuit.send({ part, payload: bytes(JSON.stringify({ result })) })
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined
        circuit.send({ part, payload: bytes(JSON.stringify({ error: String(error), code })) })
      }
    }
    void answer().catch(() => {})
  }
}

node.register('control', { open: 'anyone', start: 'anyone' }, async (peer) => {
  for await (const circuit of peer.incoming) void serve(circuit).catch(() => {})
})
console.log(node.addresses[0])
await new Promise((resolve) => process.once('SIGTERM', resolve))
