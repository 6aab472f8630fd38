import { expect, it } from 'vitest'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import { covers, History, least, raised } from './history.ts'
import type { Link } from './history.ts'

it('derives the clock of each entry from what it directly follows, as whole pasts say it', () => {
  const random = new SeededRandom('history')
  for (let round = 0; round < 40; round += 1) {
    const writers = random.integer(2, 6)
    const history = new History()
    for (let writer = 0; writer < writers; writer += 1) history.begin([])
    /** For each entry, by writer: all that it follows, itself included. */
    const pasts: Set<string>[][] = Array.from({ length: writers }, () => [])
    for (let step = 0; step < 120; step += 1) {
      const writer = random.integer(0, writers - 1)
      const links: Link[] = []
      const past = new Set(pasts[writer]?.at(-1))
      for (let other = 0; other < writers; other += 1) {
        const number = random.integer(0, pasts[other]!.length)
        if (other === writer || number === 0 || random.integer(0, 2) > 0) continue
        links.push({ writer: other, number })
        for (const entry of pasts[other]![number - 1]!) past.add(entry)
      }
      history.deliver(writer, links)
      past.add(`${writer} ${pasts[writer]!.length + 1}`)
      pasts[writer]!.push(past)
      const row = history.row(writer)
      for (let other = 0; other < writers; other += 1) {
        const seen = [...past].filter((entry) => entry.startsWith(`${other} `)).length
        expect(row[other] ?? 0).toBe(seen)
      }
    }
  }
})

it('forgets what is stable, and still gives the clocks of those who have all of it', () => {
  const history = new History()
  for (let writer = 0; writer < 3; writer += 1) history.begin([])
  for (let turn = 1; turn <= 100; turn += 1)
    for (let writer = 0; writer < 3; writer += 1)
      history.deliver(
        writer,
        turn === 1 && writer === 0 ? [] : [{ writer: (writer + 2) % 3, number: writer === 0 ? turn - 1 : turn }],
      )
  expect(history.size).toBe(300)
  const stable = [0, 1, 2].reduce<readonly number[]>((row, writer) => least(row, history.row(writer)), [1e9, 1e9, 1e9])
  expect(stable).toEqual([100, 99, 99])
  history.forget(stable)
  expect(history.size).toBeLessThan(10)
  history.deliver(0, [{ writer: 2, number: 100 }])
  expect(history.row(0)).toEqual([101, 100, 100])
  const copy = History.restore(history.lanes(), history.stable)
  copy.deliver(1, [{ writer: 0, number: 101 }])
  expect(copy.row(1)).toEqual([101, 101, 100])
})

it('compares rows of different lengths as if what is missing were 0', () => {
  expect(covers([1], [1, 0])).toBe(true)
  expect(covers([1], [1, 1])).toBe(false)
  expect(raised([1], [0, 2])).toEqual([1, 2])
  expect(least([1, 2], [3])).toEqual([1, 0])
})
