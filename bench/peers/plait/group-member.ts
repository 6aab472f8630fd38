import { setTimeout as sleep } from 'node:timers/promises'
import { createNode, feeds, type Group, type Groups, groups, openStore, PlaitError, type PlaitNode } from 'plait'
import { UsageMeter } from '../../feeds/usage-meter.ts'
import { LatencyLog, machineMs } from '../../groups/latency-log.ts'
import type { Clock, MemberFacts, MemberHandlers, MemberOrders, Opened, Opening } from '../../groups/order.ts'
import { takeOrders } from '../../harness/order-process.ts'
import { type Application, startApplication } from './group-application.ts'
import { installedVersion } from './plait-peer.ts'

// A process that is a member of one group, through plait's public door; started by groups/member-process.ts, which gives the orders.

interface Member {
  readonly node: PlaitNode
  readonly group: Group
  readonly application: Application
  close(): Promise<void>
}

const heard = new LatencyLog()
const meter = new UsageMeter()
const failures: string[] = []
let setAside = 0
let writer: number | undefined
let present: Member | undefined

const handlers: MemberHandlers = {
  about: () => ({ version: installedVersion(), settings: 'default options; TLS 1.3' }),
  open,
  invite: async () => ({ link: await member().group.invite({ role: 'write' }) }),
  remove: async ({ node }) => {
    await member().group.remove(node)
    return {}
  },
  publish,
  listen: () => {
    heard.clear()
    return {}
  },
  heard: () => ({ delivered: heard.summary() }),
  level: async ({ clock }) => {
    const began = performance.now()
    while (!isLevel(clock)) await sleep(levelPauseMs)
    return { ms: performance.now() - began }
  },
  hash: async () => ({ hash: await member().application.hash() }),
  facts,
  begin: async ({ profiled }) => {
    await meter.begin(profiled)
    return {}
  },
  usage: () => meter.end(),
  close: async () => {
    await present?.close()
    present = undefined
    return {}
  },
}

const levelPauseMs = 5

takeOrders(handlers)

async function open({ folder, kind, link, id, port = 0, snapshotEntries }: Opening): Promise<Opened> {
  const node = await createNode({ listen: [`tcp://127.0.0.1:${port}`], keyFile: `${folder}.key` })
  const store = await openStore(folder)
  const own = await feeds(node, store)
  const all = groups(own, snapshotEntries === undefined ? {} : { snapshotEntries })
  const group = await (link !== undefined
    ? join(all, link)
    : id !== undefined
      ? all.open(id)
      : all.create({ name: 'bench' }))
  group.addEventListener('failed', ({ detail }) => failures.push(String(detail.error)))
  group.addEventListener('setaside', () => (setAside += 1))
  const application = await startApplication(group, kind, () => writer, heard)
  const close = async (): Promise<void> => {
    for (const one of [all, own, store, node]) await one.close()
  }
  present = { node, group, application, close }
  return { id: group.id, node: node.id, port: Number(node.addresses[0]?.split(':').at(-1)) }
}

/** Asks again where nobody has answered in time: the machine may be busy. */
async function join(all: Groups, link: string): Promise<Group> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await all.join(link)
    } catch (error) {
      if (attempt === joinsMost || !PlaitError.is(error) || error.code !== 'TIMEOUT') throw error
    }
  }
}

const joinsMost = 5

async function publish(order: MemberOrders['publish']['order']): Promise<MemberOrders['publish']['answer']> {
  const { operations, inFlight, replication, bytes, first, places, rate } = order
  const { application } = member()
  const resolved = new LatencyLog()
  writer = order.writer
  let next = 0
  const began = machineMs()
  const one = async (): Promise<void> => {
    while (next < operations) {
      const number = next
      next += 1
      if (rate !== undefined) await sleep(Math.max(0, began + (number * 1_000) / rate - machineMs()))
      const sentMs = machineMs()
      const place = (first + number) % places
      await application.publish({ isData: true, writer: order.writer, place, sentMs }, bytes, { replication })
      resolved.add(machineMs() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  return { seconds: (machineMs() - began) / 1_000, resolved: resolved.summary() }
}

function facts({ collect }: { readonly collect: boolean }): MemberFacts {
  if (collect) {
    // The second one takes what the first has only let go.
    globalThis.gc?.()
    globalThis.gc?.()
  }
  const { node, group } = member()
  const { clock, stable, uncommitted, remembered, members } = group.snapshot()
  const { bytes } = node.stats()
  const { heapUsed, external } = process.memoryUsage()
  return {
    ...{ clock, stable, uncommitted, remembered, failures, setAside },
    members: members.map(({ node: id, lag, isConnected }) => ({ node: id, lag, isConnected })),
    sentBytes: bytes.sent,
    receivedBytes: bytes.received,
    heapBytes: heapUsed + external,
  }
}

function isLevel(clock: Clock): boolean {
  const own = member().group.snapshot()
  return own.uncommitted === 0 && Object.entries(clock).every(([feed, number]) => (own.clock[feed] ?? 0) >= number)
}

function member(): Member {
  if (present === undefined) throw new Error('it is a member of nothing yet')
  return present
}
