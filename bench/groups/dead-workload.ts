import { setTimeout as sleep } from 'node:timers/promises'
import { spreadOf } from '../harness/rows.ts'
import { scaled } from '../workloads/workload.ts'
import { type MemberProcess, withMembers } from './member-process.ts'
import type { Latencies } from './order.ts'
import { order } from './publish-workload.ts'
import { levelAll, makeGroup } from './trio.ts'
import type { Conditions, GroupResult, GroupWorkload } from './workload.ts'
import { us } from './workload.ts'

const pairs = 6
const names = ['ann', 'ben', 'cat']
/** Until links that nobody answers on are noticed, and what was under way is over. */
const settleMs = 1_000

export const deadWorkloads: readonly GroupWorkload[] = [
  dead('D-1', { operations: 1_500, inFlight: 1 }),
  dead('D-64', { operations: 20_000, inFlight: 64 }),
]

function dead(name: string, shape: { readonly operations: number; readonly inFlight: number }): GroupWorkload {
  const { operations, inFlight } = shape
  const how = inFlight === 1 ? 'each awaited before the next' : `${inFlight} in flight`
  return {
    name,
    about: `one of three publishes ${operations.toLocaleString('en')} operations, ${how}, synced at one, with the third alive or stopped, ${pairs} times each in turn`,
    tools: [us],
    measure: (_tool, conditions) =>
      measure({ operations: scaled(operations, conditions.scale, 4 * inFlight), inFlight }, conditions),
  }
}

interface Phase {
  readonly resolved: Latencies
  readonly delivered: Latencies
}

async function measure(
  { operations, inFlight }: { readonly operations: number; readonly inFlight: number },
  { folder, scale }: Conditions,
): Promise<GroupResult> {
  const store = folder.empty()
  try {
    return await withMembers(names, async (...members) => {
      const [ann, ben, cat] = members as [MemberProcess, MemberProcess, MemberProcess]
      await makeGroup(members, { folder: store, kind: 'note' })
      const phase = async (): Promise<Phase> => {
        await ann.ask('listen', {})
        const { resolved } = await ben.ask('publish', order({ operations, inFlight, replication: 'one' }, 0))
        await levelAll([ann, ben])
        return { resolved, delivered: (await ann.ask('heard', {})).delivered }
      }
      await phase()
      const [alive, stopped]: [Phase[], Phase[]] = [[], []]
      for (let pair = 0; pair < pairs; pair += 1) {
        // What was missed comes back before the next measurement, and is no part of it.
        await levelAll(members)
        await sleep(settleMs * Math.min(1, scale))
        alive.push(await phase())
        cat.signal('SIGSTOP')
        await sleep(settleMs * Math.min(1, scale))
        stopped.push(await phase())
        cat.signal('SIGCONT')
      }
      const { version, settings } = await ann.ask('about', {})
      const ratio = (value: (phase: Phase) => number): number =>
        spreadOf(alive.map((one, index) => value(stopped[index] as Phase) / value(one))).median
      const median = (phases: readonly Phase[], value: (phase: Phase) => number): number =>
        spreadOf(phases.map(value)).median
      const [resolved, delivered] = [(one: Phase) => one.resolved.p99, (one: Phase) => one.delivered.p99]
      return {
        measures: [
          { metric: 'p99 alive', unit: 'ms', value: median(alive, resolved) },
          { metric: 'p99 stopped', unit: 'ms', value: median(stopped, resolved) },
          { metric: 'p99 ratio', unit: '', value: ratio(resolved) },
          { metric: 'delivered p99 alive', unit: 'ms', value: median(alive, delivered) },
          { metric: 'delivered p99 stopped', unit: 'ms', value: median(stopped, delivered) },
          { metric: 'delivered p99 ratio', unit: '', value: ratio(delivered) },
        ],
        version,
        settings,
        reasonsVoid: [],
        profiles: {},
      }
    })
  } finally {
    folder.remove(store)
  }
}
