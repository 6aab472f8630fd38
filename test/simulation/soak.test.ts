import { expect, it } from 'vitest'
import { runSeed } from '../../src/testing/index.ts'
import { soakGroup, type SoakLook } from './groups/soak.ts'

it(
  'a group that lives for long keeps what it has in common, and drops what nobody needs',
  { timeout: 120_000 },
  async () => {
    const looks: SoakLook[] = []
    const { violations, marks } = await runSeed(1, (world) =>
      soakGroup(world, { hours: 1, heapBytes: () => 0, onLook: (look) => looks.push(look) }),
    )
    expect(violations).toEqual([])
    // The guest was removed, and is back by the link, which takes another feed.
    expect([marks.has('removed by an admin'), marks.has('took another feed')]).toEqual([true, true])
    const last = looks.at(-1) as SoakLook
    expect(last.entries).toBeGreaterThan(3_000)
    // Five machines would have over 200 bytes of each entry.
    expect(last.logBytes).toBeLessThan(5 * 60 * last.entries)
  },
)
