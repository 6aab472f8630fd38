import { expect, it } from 'vitest'
import { defaultLimits } from '../../base/limits.ts'
import { createIdentity } from '../../identity/identity.ts'
import { systemClock } from '../../runtime/system/clock.ts'
import { systemTimers } from '../../runtime/system/timers.ts'
import type { Link } from '../link.ts'
import { tcpTransport } from './tcp-transport.ts'

const limits = defaultLimits

it('lets others have their turn when what comes over some links takes long to handle', async () => {
  let now = 0
  let turn = 0
  let bytes = 0
  /** How much was handled in each turn, in ms of a clock on which whatever comes takes 1 ms. */
  const handledByTurn = new Map<number, number>()
  const heardByLink = new Map<Link, Uint8Array[]>()
  const far = createIdentity()
  const clock = { ...systemClock, now: () => now }
  const listening = tcpTransport({ identity: far, limits, runtime: { timers: systemTimers, clock } })
  const listener = await listening.listen({ host: '127.0.0.1', port: 0 }, (link) => {
    const heard: Uint8Array[] = []
    heardByLink.set(link, heard)
    link.attach({
      data: (chunk) => {
        now += 1
        handledByTurn.set(turn, (handledByTurn.get(turn) ?? 0) + 1)
        heard.push(chunk.slice())
        bytes += chunk.length
      },
      drain() {},
      close() {},
    })
  })
  const dialling = tcpTransport({ identity: createIdentity(), limits, runtime: { timers: systemTimers } })
  const links = await Promise.all([1, 2, 3].map(() => dialling.dial(listener.address, { remoteId: far.id })))
  const sent = Uint8Array.from({ length: 2 * 1024 * 1024 }, (_, index) => index >> 12)
  for (const link of links) {
    link.attach({ data() {}, drain() {}, close() {} })
    link.write([sent])
  }
  await new Promise<void>((resolve) => {
    const next = (): void => {
      turn += 1
      if (bytes < links.length * sent.length) systemTimers.endOfTurn(next)
      else resolve()
    }
    next()
  })
  expect(heardByLink.size).toBe(links.length)
  for (const heard of heardByLink.values()) expect(Buffer.concat(heard).equals(sent)).toBe(true)
  // One link goes on with what it has missed, and reads: no more than two times three, but for a turn in which the bytes of one
  // come late, which has a stretch of its own. Whoever lets nobody have a turn handles ten in most of them.
  const handled = [...handledByTurn.values()].slice(5)
  expect(handled.length).toBeGreaterThan(20)
  expect(handled.toSorted((a, b) => a - b)[handled.length >> 1]).toBeLessThanOrEqual(6)
  for (const link of links) link.abort()
  await listener.close()
})
