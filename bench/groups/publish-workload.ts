import type { Measure } from '../workloads/workload.ts'
import { scaled } from '../workloads/workload.ts'
import { measureFloor } from './floor.ts'
import { type MemberProcess, withMembers } from './member-process.ts'
import type { Latencies, Publishing } from './order.ts'
import { levelAll, makeGroup } from './trio.ts'
import type { Conditions, GroupResult, GroupWorkload } from './workload.ts'
import { us } from './workload.ts'

interface Shape {
  readonly operations: number
  readonly inFlight: number
  readonly replication: 'local' | 'one'
  /** How many of the three members publish at once. */
  readonly writers: number
}

const bytes = 200
const names = ['ann', 'ben', 'cat']
const warmUpShare = 0.1

export const publishWorkloads: readonly GroupWorkload[] = [
  publish('P-local-1', { operations: 3_000, inFlight: 1, replication: 'local', writers: 1 }),
  publish('P-one-1', { operations: 2_000, inFlight: 1, replication: 'one', writers: 1 }),
  publish('P-local-64', { operations: 50_000, inFlight: 64, replication: 'local', writers: 1 }),
  publish('P-one-64', { operations: 50_000, inFlight: 64, replication: 'one', writers: 1 }),
  publish('P-three-64', { operations: 20_000, inFlight: 64, replication: 'local', writers: 3 }),
]

function publish(name: string, shape: Shape): GroupWorkload {
  const { operations, inFlight, replication, writers } = shape
  const who = writers === 1 ? 'one of three members publishes' : 'each of three members publishes'
  const how = inFlight === 1 ? 'each awaited before the next' : `${inFlight} in flight`
  return {
    name,
    about: `${who} ${operations.toLocaleString('en')} operations of ${bytes} B, ${how}, synced at ${replication}`,
    tools: writers > 1 ? [us] : ['file', 'tls', ...(replication === 'one' ? ['tls-file'] : []), us],
    measure: (tool, conditions) => {
      const scaledShape = { ...shape, operations: scaled(operations, conditions.scale, 4 * inFlight) }
      return tool === us
        ? measureGroup(scaledShape, conditions)
        : measureFloor(tool, { operations: scaledShape.operations, inFlight, bytes }, conditions)
    },
  }
}

async function measureGroup(shape: Shape, { folder, profiled }: Conditions): Promise<GroupResult> {
  const { operations, inFlight, replication, writers } = shape
  const store = folder.empty()
  try {
    return await withMembers(names, async (...members) => {
      await makeGroup(members, { folder: store, kind: 'note' })
      // Not the founder, who is nobody special.
      const publishing = members.slice(0, writers === 1 ? 2 : writers).slice(writers === 1 ? 1 : 0)
      const all = (count: number): Promise<Published[]> =>
        Promise.all(
          publishing.map((member, index) =>
            member.ask('publish', order({ operations: count, inFlight, replication }, index)),
          ),
        )
      await all(Math.ceil(operations * warmUpShare))
      await levelAll(members)
      for (const member of members) await member.ask('listen', {})
      for (const member of members) await member.ask('begin', { profiled })
      const published = await all(operations)
      await levelAll(members)
      const usages = await Promise.all(members.map((member) => member.ask('usage', {})))
      const heard = await Promise.all(members.map(async (member) => (await member.ask('heard', {})).delivered))
      const { version, settings } = await (members[0] as MemberProcess).ask('about', {})
      const cpu = usages.reduce((sum, usage) => sum + usage.cpuSeconds, 0)
      const delivering = heard.filter((_, index) => writers > 1 || index !== 1)
      return {
        measures: [
          ...measuresOf(operations, published, delivering),
          { metric: 'cpu', unit: 'µs/operation', value: (cpu * 1e6) / (operations * writers) },
          { metric: 'heap', unit: 'MiB', value: Math.max(...usages.map(({ heapMiB }) => heapMiB)) },
        ],
        version,
        settings,
        reasonsVoid: undelivered(heard, operations, writers),
        profiles: Object.fromEntries(usages.map(({ profile }, index) => [names[index], profile])),
      }
    })
  } finally {
    folder.remove(store)
  }
}

interface Published {
  readonly seconds: number
  readonly resolved: Latencies
}

/** Of several, the slowest. */
function measuresOf(operations: number, published: readonly Published[], heard: readonly Latencies[]): Measure[] {
  const most = (value: (latencies: Latencies) => number, of: readonly Latencies[]): number =>
    Math.max(...of.map((latencies) => value(latencies)))
  const resolved = published.map((one) => one.resolved)
  const seconds = Math.max(...published.map((one) => one.seconds))
  return [
    { metric: 'rate', unit: 'operations/s', value: (operations * published.length) / seconds },
    { metric: 'p50', unit: 'ms', value: most(({ p50 }) => p50, resolved) },
    { metric: 'p99', unit: 'ms', value: most(({ p99 }) => p99, resolved) },
    { metric: 'delivered p50', unit: 'ms', value: most(({ p50 }) => p50, heard) },
    { metric: 'delivered p99', unit: 'ms', value: most(({ p99 }) => p99, heard) },
  ]
}

export function order(
  { operations, inFlight, replication }: Pick<Publishing, 'operations' | 'inFlight' | 'replication'>,
  writer: number,
): Publishing {
  return { operations, inFlight, replication, bytes, first: 0, places: 1_000_000, writer }
}

/** Each member hears all that the others have published. */
function undelivered(heard: readonly Latencies[], operations: number, writers: number): string[] {
  return heard.flatMap(({ count }, index) => {
    const expected = operations * (writers === 1 ? (index === 1 ? 0 : 1) : writers - 1)
    return count === expected ? [] : [`${names[index]} was handed ${count} operations instead of ${expected}`]
  })
}
