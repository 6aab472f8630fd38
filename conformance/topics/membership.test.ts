import { expect, it } from 'vitest'
import { count, withinMs } from '../counts.ts'
import { Crowd, level, startCrowds } from './crowds.ts'
import { seed } from '../seed.ts'

// Who is there, as all of them see it.

it(
  'B4 ten nodes from one address: a joiner is known to all in 5 s, one that leaves is gone in 1 s, one that crashes in 10 s',
  { timeout: 600_000 },
  async () => {
    const crowds = await startCrowds([3, 3, 3])
    const address = crowds[0]?.members[0]?.address ?? ''
    const longest = { join: 0, leave: 0, crash: 0 }
    const note = async (
      what: keyof typeof longest,
      present: readonly Crowd[],
      begin: () => Promise<unknown>,
    ): Promise<void> => {
      const beganAt = performance.now()
      const done = begin()
      // Who leaves is gone for the others before it has closed everything.
      if (what === 'join') await done
      await level(present)
      longest[what] = Math.max(longest[what], performance.now() - beganAt)
      await done
    }
    for (let round = 0; round < count(20, 2); round += 1) {
      const guest = await Crowd.start()
      await note('join', [...crowds, guest], () => guest.join(1, [address]))
      await note('leave', crowds, () => guest.leave(guest.members[0]?.id ?? ''))
      await note('join', [...crowds, guest], () => guest.join(1, [address]))
      await note('crash', crowds, () => guest.far.program.kill('SIGKILL'))
    }
    const { join, leave, crash } = longest
    process.stdout.write(`at most: join ${join.toFixed(0)}, leave ${leave.toFixed(0)}, crash ${crash.toFixed(0)} ms\n`)
    expect(join).toBeLessThan(withinMs(5_000))
    expect(leave).toBeLessThan(withinMs(1_000))
    expect(crash).toBeLessThan(withinMs(10_000))
  },
)

it('B4 after many joins and leaves by chance all see the same, and what is so', { timeout: 900_000 }, async () => {
  process.stdout.write(`seed ${seed}\n`)
  const crowds = await startCrowds([4, 3, 3])
  const address = crowds[0]?.members[0]?.address ?? ''
  let state = seed
  const chance = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  for (let change = 0; change < count(1_000, 30); change += 1) {
    const crowd = crowds[chance(crowds.length)] as Crowd
    // The one whose address all were told stays.
    const leavers = crowd.members.filter((member) => member.address !== address)
    if (leavers.length > 1 && chance(2) === 0) await crowd.leave(leavers[chance(leavers.length)]?.id ?? '')
    else if (crowd.members.length < 6) await crowd.join(1, [address])
  }
  expect(await level(crowds)).toBeLessThan(withinMs(20_000))
})
