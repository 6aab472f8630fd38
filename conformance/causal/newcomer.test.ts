import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { diskBytes } from '../../bench/groups/disk-use.ts'
import { type MemberProcess, withMembers } from '../../bench/groups/member-process.ts'
import { fill, pruned } from '../../bench/groups/newcomer-workload.ts'
import type { MemberKind } from '../../bench/groups/order.ts'
import { levelAll, makeGroup } from '../../bench/groups/trio.ts'
import { installPackage } from '../../bench/harness/pack.ts'
import { count, fullCounts, withinMs } from '../counts.ts'

beforeAll(() => installPackage({ isBuilt: true }))

const operations = count(1_000_000, 5_000)
const places = operations / 10
/** Twenty snapshots, so that all but a twentieth is dropped. */
const snapshotEntries = operations / 20
/** While somebody joins, the writers go on at this rate, each. */
const rate = 50

const kinds: readonly [MemberKind][] = fullCounts ? [['table'], ['replica']] : [['replica']]

test.for<[MemberKind]>(kinds)(
  'G8: who joins a group that has been pruned is level in time, and the writers do not pause (%s)',
  { timeout: 1_800_000 },
  async ([kind]) => {
    const store = mkdtempSync(join(tmpdir(), 'plait-newcomer-'))
    onTestFinished(() => rmSync(store, { recursive: true, force: true }))
    await withMembers(['ann', 'ben', 'newcomer'], async (...all) => {
      const [ann, ben, newcomer] = all as [MemberProcess, MemberProcess, MemberProcess]
      const joining = { folder: store, kind, snapshotEntries }
      await makeGroup([ann, ben], joining)
      await fill([ann, ben], { kind, operations, places })
      await pruned(join(store, 'member-0'))
      const alone = await write([ann, ben], 2)

      const seconds = fullCounts ? 30 : 4
      const writing = write([ann, ben], seconds)
      const { link } = await ann.ask('invite', {})
      const { clock } = await ann.ask('facts', { collect: false })
      const began = performance.now()
      await newcomer.ask('open', { ...joining, folder: join(store, 'newcomer'), link })
      await newcomer.ask('level', { clock })
      expect(performance.now() - began).toBeLessThan(withinMs(30_000))
      const meanwhile = await writing

      // A writer that paused would have waited for as long as the newcomer took.
      expect(meanwhile).toBeLessThan(withinMs(Math.max(250, 5 * alone)))
      const { receivedBytes } = await newcomer.ask('facts', { collect: false })
      if (fullCounts) expect(receivedBytes).toBeLessThan(0.5 * operations * 200)
      await levelAll(all)
      const hashes = await Promise.all(all.map(async (member) => (await member.ask('hash', {})).hash))
      expect(new Set(hashes).size).toBe(1)
      if (kind === 'table') expect(diskBytes(join(store, 'newcomer'))).toBeLessThan(diskBytes(join(store, 'member-0')))
    })
  },
)

/** The slower writer's 99th percentile, in ms. */
async function write(members: readonly MemberProcess[], seconds: number): Promise<number> {
  const published = await Promise.all(
    members.map((member, writer) =>
      member.ask('publish', {
        ...{ operations: rate * seconds, rate, inFlight: 8, replication: 'local', bytes: 200 },
        ...{ first: 0, places: places / 2, writer },
      }),
    ),
  )
  return Math.max(...published.map(({ resolved }) => resolved.p99))
}
