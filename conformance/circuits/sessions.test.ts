import { setTimeout as sleep } from 'node:timers/promises'
import { createNode, PlaitError } from 'plait'
import type { NodeOptions, PlaitNode } from 'plait'
import { afterEach, describe, expect, it } from 'vitest'
import { count, withinMs } from '../counts.ts'

const nodes: PlaitNode[] = []
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()))
})

/** A node whose service `count` notes the first fragment of each circuit. */
async function open(options: NodeOptions, received: number[]): Promise<PlaitNode> {
  const node = await createNode({ listen: ['tcp://127.0.0.1:0'], ...options })
  nodes.push(node)
  node.register('count', { open: 'anyone', start: 'anyone' }, async (peer) => {
    for await (const circuit of peer.incoming) {
      const first = await circuit.read()
      received.push(first?.part ?? -1)
      circuit.send({ part: first?.part ?? -1 })
    }
  })
  return node
}

/** Opens a circuit and gets its echo, after a delay. */
async function meet(node: PlaitNode, other: PlaitNode, part: number, delayMs: number): Promise<number | undefined> {
  if (delayMs > 0) await sleep(delayMs)
  const circuit = await node.peer('x').open(`${other.addresses[0]}/count`, { part })
  return (await circuit.read())?.part
}

describe('C11 double dial', () => {
  it('gives one session each time, and loses nothing', async () => {
    let crossed = 0
    for (let round = 0; round < count(1_000, 40); round += 1) {
      const [atA, atB]: [number[], number[]] = [[], []]
      const [a, b] = [await open({}, atA), await open({}, atB)]
      const delayMs = round % 2 === 0 ? 0 : (round * 1.7) % 12
      let links = 0
      const watch = setInterval(() => (links = Math.max(links, a.snapshot().sessions.length)), 1)
      const answers = await Promise.all([meet(a, b, 1, delayMs), meet(a, b, 2, 0), meet(b, a, 3, 0), meet(b, a, 4, 6)])
      expect(answers).toEqual([1, 2, 3, 4])
      expect([atA.toSorted(), atB.toSorted()]).toEqual([
        [3, 4],
        [1, 2],
      ])
      for (const node of [a, b]) {
        expect(node.stats().sessions).toEqual({ opened: 1, closed: 0, live: 1, refused: 0 })
        expect(node.snapshot().sessions.filter((session) => session.state === 'ready')).toHaveLength(1)
      }
      clearInterval(watch)
      crossed += links > 1 ? 1 : 0
      await Promise.all(nodes.splice(0).map((node) => node.close()))
    }
    expect(crossed).toBeGreaterThan(0)
  }, 600_000)

  it('refuses the session beyond maxInbound typed, and the others do not notice', async () => {
    const received: number[] = []
    const hub = await open({ maxInbound: 2 }, received)
    const others = [await open({}, []), await open({}, []), await open({}, [])]
    const first = await others[0]!.peer('x').open(`${hub.addresses[0]}/count`, { part: 1 })
    const ended: string[] = []
    for (const node of others) node.addEventListener('sessionend', () => ended.push(node.id))
    expect((await first.read())?.part).toBe(1)
    expect(await meet(others[1]!, hub, 2, 0)).toBe(2)
    for (let round = 0; round < count(100, 5); round += 1) {
      const begun = performance.now()
      const error: unknown = await meet(others[2]!, hub, 3, 0).catch((reason: unknown) => reason)
      expect(PlaitError.is(error) && error.code).toBe('TOO_MANY_SESSIONS')
      expect(performance.now() - begun).toBeLessThan(withinMs(1_000))
    }
    expect(await meet(others[0]!, hub, 4, 0)).toBe(4)
    expect(await meet(others[1]!, hub, 5, 0)).toBe(5)
    expect(received).toEqual([1, 2, 4, 5])
    expect(hub.stats().sessions).toMatchObject({ opened: 2, live: 2, refused: count(100, 5) })
    expect(ended).toEqual([])
  })
})
