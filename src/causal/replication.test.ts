import { expect, it } from 'vitest'
import { PlaitError } from '../base/error.ts'
import type { NodeId } from '../identity/node-id.ts'
import { Replication } from './replication.ts'

/** Whether each of these waits no longer. */
async function settled(...waits: readonly Promise<void>[]): Promise<readonly boolean[]> {
  const done = waits.map(() => false)
  for (const [index, wait] of waits.entries()) void wait.then(() => (done[index] = true))
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
  return done
}

it('waits for one other member, for most of all, or for all', async () => {
  const others = ['a', 'b', 'c', 'd'] as NodeId[]
  const replication = new Replication(() => others)
  replication.update()
  const waits = (['one', 'majority', 'all'] as const).map((level) => replication.wait(5, level, undefined))
  const at = async (node: string, length: number): Promise<readonly boolean[]> => {
    replication.note(node, length)
    return settled(...waits)
  }
  expect(await at('a', 4)).toEqual([false, false, false])
  expect(await at('a', 5)).toEqual([true, false, false])
  // Of five members, this one and two others are most.
  expect(await at('b', 9)).toEqual([true, true, false])
  expect(await at('c', 5)).toEqual([true, true, false])
  expect(await at('d', 5)).toEqual([true, true, true])
})

it('waits for nobody who is waited for no longer, and for one only if there is one', async () => {
  let others = ['a', 'b'] as NodeId[]
  const replication = new Replication(() => others)
  replication.update()
  const all = replication.wait(1, 'all', undefined)
  replication.note('a', 1)
  expect(await settled(all)).toEqual([false])
  others = ['a'] as NodeId[]
  replication.update()
  expect(await settled(all)).toEqual([true])
  others = []
  replication.update()
  const [one, majority, none] = (['one', 'majority', 'all'] as const).map((level) =>
    replication.wait(2, level, undefined),
  )
  expect(await settled(one!, majority!, none!)).toEqual([false, true, true])
})

it('ends with the signal, and with the group', async () => {
  const replication = new Replication(() => ['a'] as NodeId[])
  replication.update()
  const ending = new AbortController()
  const signalled = replication.wait(1, 'one', ending.signal)
  const closed = replication.wait(2, 'one', undefined)
  ending.abort(new Error('enough'))
  await expect(signalled).rejects.toThrow('enough')
  replication.end(new PlaitError('STORE_CLOSED', 'closed'))
  await expect(closed).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  await expect(replication.wait(3, 'one', undefined)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
})
