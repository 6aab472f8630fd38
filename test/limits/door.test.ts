import { expect, test } from 'vitest'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import { KiB } from './bytes.ts'
import { Door } from './door.ts'

test('who is refused, or sent away, and does not leave is put out: links that have ended do not pile up', async () => {
  const door = await Door.open({ sessions: 1 })
  const links = [0, 1, 2].map(() => door.knock('10.0.0.2:7001'))
  for (const link of links) link.isStubborn = true
  links[0]?.greet()
  await door.run()
  links[1]?.greet()
  links[0]?.say(rawFrame(0x7f, 0))
  links[2]?.say(rawFrame(1, 0, new Uint8Array(5 * KiB)))
  await door.run()
  expect(links.map(({ outcome }) => outcome)).toEqual([
    { closed: 'session', code: 'PROTOCOL' },
    { closed: 'link', code: 'TOO_MANY_SESSIONS' },
    { closed: 'link', code: 'LIMIT' },
  ])
  expect(links.map(({ isClosed }) => isClosed)).toEqual([false, false, false])
  await door.run(2_001)
  expect(links.map(({ isClosed }) => isClosed)).toEqual([true, true, true])
  expect(door.node.snapshot().sessions).toEqual([])
  await door.close()
})
