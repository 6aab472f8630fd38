import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { diskBytes } from './disk-use.ts'
import { type MemberProcess, withMembers } from './member-process.ts'
import { scaled } from '../workloads/workload.ts'
import type { Clock, MemberKind } from './order.ts'
import { levelAll, makeGroup } from './trio.ts'
import type { Conditions, GroupResult, GroupWorkload } from './workload.ts'
import { us } from './workload.ts'

const operations = 1_000_000
/** Of the table, or elements of the set. */
const places = 100_000
const inFlight = 512
/** The last snapshot is of almost everything, so that little is left to be delivered. */
const snapshotShare = 0.1
const never = 1_000_000_000

export const newcomerWorkloads: readonly GroupWorkload[] = [
  newcomer('N-table', 'table', false),
  newcomer('N-table-snapshot', 'table', true),
  newcomer('N-set', 'replica', false),
  newcomer('N-set-snapshot', 'replica', true),
]

function newcomer(name: string, kind: MemberKind, hasSnapshot: boolean): GroupWorkload {
  const what =
    kind === 'table'
      ? `200 B each, of which a table keeps the newest for ${places.toLocaleString('en')} places`
      : `additions to a set of ${places.toLocaleString('en')} texts`
  return {
    name,
    about: `a third member joins two who have published ${operations.toLocaleString('en')} operations (${what}), ${hasSnapshot ? 'pruned to a snapshot' : 'all of which are kept'}`,
    tools: [us],
    measure: (_tool, conditions) => measure(kind, hasSnapshot, conditions),
  }
}

export interface Filling {
  readonly kind: MemberKind
  readonly operations: number
  readonly places: number
}

/** Each of the members publishes as much of it. Resolves when all have it. */
export async function fill(
  members: readonly MemberProcess[],
  { operations: total, places: all }: Filling,
): Promise<Clock> {
  const each = Math.ceil(total / members.length)
  const ofEach = Math.ceil(all / members.length)
  await Promise.all(
    members.map((member, writer) =>
      member.ask(
        'publish',
        { operations: each, inFlight, replication: 'local', bytes: 200, first: 0, places: ofEach, writer },
        1_200_000,
      ),
    ),
  )
  return levelAll(members)
}

async function measure(
  kind: MemberKind,
  hasSnapshot: boolean,
  { folder, scale, profiled }: Conditions,
): Promise<GroupResult> {
  const store = folder.empty()
  const total = scaled(operations, scale, 2_000)
  const snapshotEntries = hasSnapshot ? Math.ceil(total * snapshotShare) : never
  const filling = { kind, operations: total, places: scaled(places, scale, 200) }
  try {
    return await withMembers(['ann', 'ben', 'newcomer'], async (ann, ben, late) => {
      const [first, second, newcomer] = [ann, ben, late] as [MemberProcess, MemberProcess, MemberProcess]
      const joining = { folder: store, kind, snapshotEntries }
      await makeGroup([first, second], joining)
      const began = performance.now()
      const clock = await fill([first, second], filling)
      const fillSeconds = (performance.now() - began) / 1_000
      await pruned(join(store, 'member-0'))
      const { link } = await first.ask('invite', {})
      await newcomer.ask('begin', { profiled })
      const joined = performance.now()
      await newcomer.ask('open', { ...joining, folder: join(store, 'newcomer'), link })
      await newcomer.ask('level', { clock })
      const seconds = (performance.now() - joined) / 1_000
      const usage = await newcomer.ask('usage', {})
      const { receivedBytes } = await newcomer.ask('facts', { collect: false })
      const { hash } = await newcomer.ask('hash', {})
      const other = (await first.ask('hash', {})).hash
      const { version, settings } = await first.ask('about', {})
      return {
        measures: [
          { metric: 'level', unit: 's', value: seconds },
          { metric: 'wire', unit: 'MB', value: receivedBytes / 1e6 },
          { metric: 'cpu', unit: 's', value: usage.cpuSeconds },
          { metric: 'peak', unit: 'MiB', value: usage.peakMiB },
          { metric: 'fill', unit: 'operations/s', value: total / fillSeconds },
          { metric: 'disk', unit: 'MB', value: diskBytes(join(store, 'member-0')) / 1e6 },
          { metric: 'disk newcomer', unit: 'MB', value: diskBytes(join(store, 'newcomer')) / 1e6 },
        ],
        version,
        settings,
        reasonsVoid: hash === other ? [] : ['the newcomer has come to another state than who was there'],
        profiles: { newcomer: usage.profile },
      }
    })
  } finally {
    folder.remove(store)
  }
}

const pauseMs = 500
const pausesMost = 60

/** Resolves when the folder keeps its size but for a few entries: what was to be dropped is gone. */
export async function pruned(folder: string): Promise<void> {
  let before = 0
  for (let look = 0; look < pausesMost; look += 1) {
    const bytes = diskBytes(folder)
    if (look > 3 && Math.abs(bytes - before) < 65_536) return
    before = bytes
    await sleep(pauseMs)
  }
}
