import { expect, test } from 'vitest'
import { echo, Town } from './town.ts'

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

for (const [dialler, listener, code] of [
  [1, 1, 'ok'],
  [1, 2, 'WRONG_NETWORK'],
  [1, undefined, 'WRONG_NETWORK'],
  [undefined, 1, 'WRONG_NETWORK'],
] as const) {
  for (const [from, to] of ['ab', 'ba'] as const) {
    test(`${from} with key ${dialler} dials ${to} with key ${listener}: ${code}`, async () => {
      const town = new Town()
      const options = (fill: number | undefined) => (fill === undefined ? {} : { networkKey: key(fill) })
      await town.add(from!, options(dialler))
      const node = await town.add(to!, options(listener))
      node.register('echo', { open: 'anyone', start: 'anyone' }, echo)
      const open = town
        .node(from!)
        .peer('x')
        .open(`${town.address(to!)}/echo`, { op: 1 })
      expect(await town.outcome(open)).toMatchObject({ code })
      expect(node.stats().sessions).toMatchObject({ opened: code === 'ok' ? 1 : 0 })
    })
  }
}

test('a session of a private network goes on over a new link, with a new proof', async () => {
  const town = new Town()
  const { world } = town
  for (const name of ['a', 'b'])
    (await town.add(name, { networkKey: key(1) })).register('echo', { open: 'anyone', start: 'anyone' }, echo)
  const circuit = await world.settle(
    town
      .node('a')
      .peer('x')
      .open(`${town.address('b')}/echo`, { op: 1 }),
  )
  world.cut('a', 'b')
  circuit.send({ op: 2 })
  expect((await world.settle(circuit.read()))?.op).toBe(1)
  expect((await world.settle(circuit.read()))?.op).toBe(2)
  expect(town.node('a').snapshot().sessions[0]?.resumes).toBe(1)
})
