import { describe, expect, test } from 'vitest'
import type { ChannelCircuit } from '../../src/circuit/circuit.ts'
import { Echo, Note, pairOf, statsOf } from './pair.ts'
import type { Pair } from './pair.ts'

// Nobody answers a post: what keeps a sender from piling up handlers that take their time is the credit of the circuit.

/** Handlers of posts that wait until they are let go, in their order. */
class SlowHandlers {
  readonly begun: string[] = []
  readonly #waiting: (() => void)[] = []

  handle(text: string): Promise<string> {
    this.begun.push(text)
    return new Promise((resolve) => this.#waiting.push(() => resolve(text)))
  }

  /** Lets so many go that have waited longest. */
  release(count: number = Infinity): void {
    for (const resolve of this.#waiting.splice(0, count)) resolve()
  }
}

function slow(maxHandlers: number, limits: Record<string, number> = {}): Pair & { readonly handlers: SlowHandlers } {
  const pair = pairOf({ far: { maxHandlers } }, { limits })
  const handlers = new SlowHandlers()
  pair.far.handle(Note, (text) => handlers.handle(text))
  return { ...pair, handlers }
}

function heldAt({ circuit }: Pair['far']): number {
  return (circuit as ChannelCircuit).unreadBytes
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

describe('posts whose handlers take their time', () => {
  test('hold the sender up by the credit of the circuit, and none is lost', async () => {
    const { joined, near, far, handlers } = slow(2)
    const texts = Array.from({ length: 3_000 }, (_, index) => `${index} ${'x'.repeat(1_000)}`)
    for (const text of texts) near.post(Note, text)
    await joined.run(1_000)
    expect(handlers.begun).toHaveLength(2)
    // A window of the circuit has come and waits; the rest has not left.
    expect(heldAt(far)).toBeLessThan(300_000)
    expect(near.circuit.bufferedBytes).toBeGreaterThan(2_000_000)
    let isReady = false
    void near.ready().then(() => (isReady = true))
    await joined.run(1_000)
    expect(isReady).toBe(false)
    while (handlers.begun.length < texts.length) {
      handlers.release()
      await joined.run(5)
    }
    expect(handlers.begun).toEqual(texts)
    expect(isReady).toBe(true)
    handlers.release()
    await joined.run(5)
    expect([heldAt(far), statsOf(far).dropped, statsOf(far).postsReceived]).toEqual([0, 0, 3_000])
  })

  test('are no more at once than a window of the circuit holds', async () => {
    const { joined, near, far, handlers } = slow(1_000, { windowBytesMax: 1024 * 1024 })
    for (let index = 0; index < 40; index += 1) near.post(Note, 'x'.repeat(100_000))
    await joined.run(1_000)
    expect(handlers.begun).toHaveLength(11)
    expect(heldAt(far)).toBeLessThan(1024 * 1024 + 600_000)
    for (let round = 0; round < 20; round += 1) {
      handlers.release()
      await joined.run(20)
    }
    expect([handlers.begun.length, heldAt(far)]).toEqual([40, 0])
  })

  test('do not hold up those that take none, nor what else comes, as long as there is a place', async () => {
    const { joined, near, far, handlers } = slow(2)
    const echoed: number[] = []
    far.handle(Echo, (message) => {
      echoed.push(message.length)
      return message
    })
    near.post(Note, 'one')
    near.post(Note, 'two')
    for (let length = 0; length < 100; length += 1) near.request(Echo, new Uint8Array(length)).catch(() => {})
    await joined.run(10)
    expect(echoed).toHaveLength(100)
    near.post(Note, 'three')
    const asked = near.request(Echo, new Uint8Array(7))
    await joined.run(100)
    // In order: what stands behind a post that has no place waits with it.
    expect([handlers.begun, echoed.length]).toEqual([['one', 'two'], 100])
    handlers.release(1)
    expect((await joined.settle(asked)).length).toBe(7)
    expect(handlers.begun).toEqual(['one', 'two', 'three'])
  })

  test('may ask back on the same circuit, whose answers are read meanwhile', async () => {
    const { joined, near, far } = pairOf({ far: { maxHandlers: 1 } })
    const done: string[] = []
    near.handle(Note, (text) => `${text}!`)
    far.handle(Note, async (text) => {
      done.push(await far.request(Note, text))
      return text
    })
    for (const text of numbers(2_000)) near.post(Note, text)
    for (let waits = 0; waits < 1_000 && done.length < 2_000; waits += 1) await joined.run(5)
    expect(done).toEqual(numbers(2_000).map((text) => `${text}!`))
    await joined.run(5)
    expect([heldAt(far), far.live, near.live]).toEqual([0, 0, 0])
  })

  test('of which others ask back only after the circuit was not read any more find their answers too', async () => {
    const { joined, near, far } = pairOf({ far: { maxHandlers: 1 } })
    const { timers } = near.circuit.context.runtime
    let done = 0
    near.handle(Note, (text) => text)
    far.handle(Note, async (text) => {
      await new Promise<void>((resolve) => void timers.after(50, resolve))
      await far.request(Note, text)
      done += 1
      return text
    })
    for (const text of numbers(20)) near.post(Note, text)
    await joined.run(40)
    expect(done).toBe(0)
    await joined.run(5_000)
    expect(done).toBe(20)
  })

  test('may post back and wait for room, at both ends, without each waiting for the other one for ever', async () => {
    const { joined, near, far } = pairOf({ near: { maxHandlers: 1 }, far: { maxHandlers: 1 } })
    const answers: string[] = []
    for (const side of [near, far])
      side.handle(Note, async (text) => {
        if (text.startsWith('answer')) answers.push(text)
        else if (!side.post(Note, `answer ${text}`)) await side.ready()
        return ''
      })
    for (let index = 0; index < 30; index += 1)
      for (const side of [near, far]) side.post(Note, `${index} ${'x'.repeat(100_000)}`)
    for (let waits = 0; waits < 200 && answers.length < 60; waits += 1) await joined.run(20)
    expect(answers).toHaveLength(60)
  })

  test('stand in line for no more than a window while this end waits for an answer', async () => {
    const { joined, near, far, handlers } = slow(1, { windowBytesMax: 512 * 1024 })
    near.handle(Echo, () => new Promise<never>(() => {}))
    far.request(Echo, new Uint8Array(0)).catch(() => {})
    for (let index = 0; index < 40; index += 1) near.post(Note, 'x'.repeat(100_000))
    await joined.run(1_000)
    expect(handlers.begun).toHaveLength(1)
    expect(heldAt(far)).toBeGreaterThan(512 * 1024)
    expect(heldAt(far)).toBeLessThan(2 * 1024 * 1024)
    for (let round = 0; round < 60; round += 1) {
      handlers.release()
      await joined.run(20)
    }
    expect(handlers.begun).toHaveLength(40)
  })

  test('are all handled when their sender closes, however long that takes', async () => {
    const { joined, near, far, handlers } = slow(1)
    for (const text of numbers(50)) near.post(Note, text)
    const closed = near.close()
    for (let round = 0; round < 60; round += 1) {
      await joined.run(20)
      handlers.release()
    }
    await joined.settle(closed)
    await joined.run(20)
    expect(handlers.begun).toEqual(numbers(50))
    expect([near.circuit.state, far.circuit.state]).toEqual(['closed', 'closed'])
  })

  test('that stand in line when the circuit ends in order are handled after it', async () => {
    const { joined, near, far, handlers } = slow(1)
    near.handle(Echo, () => new Promise<never>(() => {}))
    far.request(Echo, new Uint8Array(0)).catch(() => {})
    for (const text of numbers(10)) near.post(Note, text)
    await joined.run(20)
    void near.circuit.close()
    await joined.run(20)
    expect([far.circuit.state, handlers.begun]).toEqual(['closed', ['0']])
    for (let round = 0; round < 12; round += 1) {
      handlers.release()
      await joined.run(5)
    }
    expect(handlers.begun).toEqual(numbers(10))
  })

  test('that stand in line when the circuit fails are dropped, and counted', async () => {
    const { joined, near, far, handlers } = slow(1)
    near.handle(Echo, () => new Promise<never>(() => {}))
    far.request(Echo, new Uint8Array(0)).catch(() => {})
    for (const text of numbers(10)) near.post(Note, text)
    await joined.run(20)
    near.abort()
    await joined.run(20)
    handlers.release()
    await joined.run(20)
    expect([handlers.begun, statsOf(far).dropped]).toEqual([['0'], 9])
  })
})
