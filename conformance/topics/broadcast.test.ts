import { setTimeout as sleep } from 'node:timers/promises'
import type { BroadcastSettings } from 'plait'
import { expect, it } from 'vitest'
import { count, fullCounts, withinMs } from '../counts.ts'
import { heardBy, startCrowds, type Crowd } from './crowds.ts'

// What one publishes reaches all, over real sockets.

/** A machine that is busy is not to be taken for a member that is gone: counts of bodies are of networks in which all is well. */
const patient: Partial<BroadcastSettings> = {
  ...{ takeMs: 20_000, silenceMs: 40_000, keepMs: 10_000, offersMs: [60_000] },
  ...{ pingMs: 20_000, pingPeriodMs: 40_000 },
}

async function bodiesOf(crowds: readonly Crowd[]): Promise<number> {
  return (await Promise.all(crowds.map((crowd) => crowd.facts()))).reduce((sum, { bodies }) => sum + bodies, 0)
}

function texts(total: number): readonly string[] {
  return Array.from({ length: total }, (_, index) => `m${index + 1}`)
}

/** In a few processes. */
function spread(size: number): readonly number[] {
  const processes = Math.min(size, fullCounts ? 5 : 3)
  return Array.from({ length: processes }, (_, index) => Math.floor((size + index) / processes))
}

const sizes = fullCounts ? [2, 3, 4, 5, 8, 13, 24, 37, 50] : [2, 8, 24]

it.for(sizes.flatMap((size) => (['star', 'tree'] as const).map((shape) => [size, shape] as const)))(
  'B1 of %d members, as a %s, each other one gets a message once, with n - 1 bodies',
  { timeout: 300_000 },
  async ([size, shape]) => {
    const settings = { ...patient, starMembersMax: shape === 'star' ? 64 : 0 }
    const crowds = await startCrowds(spread(size), settings)
    const [first] = crowds as [Crowd]
    const author = first.members[0]?.id ?? ''
    const total = count(50, 3)
    const reports = await first.publish(author, 1, total, 20)
    const everyone = { reached: size - 1, missing: 0, unreached: [] }
    expect(reports).toEqual(Array.from({ length: total }, () => everyone))
    await heardBy(crowds, author, total, withinMs(5_000))
    const facts = await first.facts()
    expect(facts.shapes[0]).toBe(shape)
    expect(await bodiesOf(crowds)).toBe(total * (size - 1))
    const heard = (await Promise.all(crowds.map((crowd) => crowd.heard()))).flatMap(Object.entries)
    for (const [id, said] of heard)
      expect([...said].toSorted(), id).toEqual(id === author ? [] : [...texts(total)].toSorted())
  },
)

/** Each in a process of its own, or at least the author and those that are killed. */
const twelve = fullCounts ? Array.from({ length: 12 }, () => 1) : [1, 3, 3, 1, 1, 1, 2]

it.for(['star', 'tree'] as const)(
  'B2 as a %s, three of twelve killed while one publishes: all others get each message once, and its author learns who did not',
  { timeout: 300_000 },
  async (shape) => {
    const crowds = await startCrowds(twelve, { starMembersMax: shape === 'star' ? 64 : 0 })
    const [first, ...others] = crowds as [Crowd, ...Crowd[]]
    const author = first.members[0]?.id ?? ''
    const total = count(500, 60)
    const publishing = first.publish(author, 1, total, 20)
    const victims = others.splice(2, 3)
    for (const [index, { far }] of victims.entries()) {
      await first.far.program.line(new RegExp(`^published ${Math.floor((total * (index + 1)) / 5)}$`))
      await far.program.kill('SIGKILL')
    }
    await first.far.program.line(new RegExp(`^published ${total}$`))
    const alive = [first, ...others]
    const tookMs = await heardBy(alive, author, total, withinMs(5_000))
    process.stdout.write(`${shape}: all had the last one ${tookMs.toFixed(0)} ms after it was published\n`)
    // What comes twice would come soon.
    await sleep(1_000)
    for (const crowd of others)
      for (const said of Object.values(await crowd.heard()))
        expect([...said].toSorted()).toEqual([...texts(total)].toSorted())
    const gone = victims.map(({ members }) => members[0]?.id)
    const reports = await publishing
    expect(reports.some(({ missing }) => missing > 0)).toBe(true)
    for (const { reached, unreached } of reports) {
      expect(reached).toBeGreaterThanOrEqual(8)
      expect(gone).toEqual(expect.arrayContaining([...unreached]))
    }
    expect((await bodiesOf(alive)) / total).toBeLessThanOrEqual(2 * 12)
  },
)
