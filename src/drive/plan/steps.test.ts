import { describe, expect, it } from 'vitest'
import { Machine, World } from '../../../test/simulation/drive/machine.ts'
import { actionsSteps } from './actions.ts'
import { changesOf, changesSteps } from './changes.ts'
import { foldCase, layoutOf, layoutSteps } from './layout.ts'
import { inTurns } from './steps.ts'
import type { Steps } from './steps.ts'

function countSteps<Result>(steps: Steps<Result>): number {
  let count = 0
  while (steps.next().done !== true) count += 1
  return count
}

it('plans in steps as small in a large folder as in a small one, and keeps what it knows', () => {
  const world = new World()
  const ann = new Machine(world, 1)
  world.add('content')
  for (let index = 0; index < 1_000; index += 1) ann.disk.write(`f${index}`, 'content')
  ann.publish()
  const { view } = ann.site.value
  const [disk, layout, agreement] = [ann.disk.scan(), layoutOf(view), ann.agreement]
  const input = { agreement, disk, layout, view, isMarked: true, writer: ann.site.writer }
  for (const steps of [layoutSteps(view), changesSteps(input), actionsSteps(input)] as readonly Steps<unknown>[])
    expect(countSteps(steps)).toBeGreaterThan(1_000 / 100)
  expect(changesOf(input).kept.every((agreed) => agreement.get(agreed.path) === agreed)).toBe(true)
  const again = layoutOf(view, { previous: layout })
  expect([...again.items.values()].every((item) => layout.items.get(item.path) === item)).toBe(true)
})

describe('steps in turns', () => {
  const pace = { pause: (): Promise<void> => Promise.resolve() }

  it('are begun again when what they look at has changed, and taken in one turn at last', async () => {
    let revision = 0
    let beginnings = 0
    function* begin(): Steps<number> {
      beginnings += 1
      yield
      if (beginnings < 3) revision += 1
      yield
      return revision
    }
    expect(await inTurns(begin, { pace, revision: () => revision })).toBe(2)
    expect(beginnings).toBe(3)
    beginnings = -100
    expect(await inTurns(begin, { pace, revision: () => revision })).toBe(7)
    expect(beginnings).toBe(-95)
  })

  it('end with the reason of their signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    const steps = inTurns(() => layoutSteps(new Machine(new World(), 1).site.value.view), {
      pace,
      revision: () => 0,
      signal,
    })
    await expect(steps).rejects.toThrow('enough')
  })
})

it('a name that only changes its spelling, and names that go round, come to rest on a disk that folds them', () => {
  const world = new World()
  const ann = new Machine(world, 1)
  const bob = new Machine(world, 2, { fold: foldCase, disk: { fold: foldCase } })
  const exchange = (): void => {
    for (const machine of [ann, bob]) {
      machine.publish()
      for (const sent of world.sent)
        for (const other of [ann, bob]) if (other.site.canTake(sent)) other.site.deliver(sent)
    }
    for (const machine of [ann, bob]) machine.apply()
  }
  for (const name of ['a', 'b', 'c']) {
    world.add(name)
    ann.disk.write(name, name)
  }
  exchange()
  ann.disk.move('a', 'x')
  ann.disk.move('b', 'A')
  ann.disk.move('x', 'B')
  ann.disk.move('c', 'C')
  exchange()
  expect(bob.disk.paths('file').map((path) => [path, bob.disk.content(path)])).toEqual(
    expect.arrayContaining([
      ['A', 'b'],
      ['B', 'a'],
      ['C', 'c'],
    ]),
  )
})
