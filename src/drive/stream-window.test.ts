import { expect, it } from 'vitest'
import { windowFragments } from './protocol.ts'
import { StreamWindow } from './stream-window.ts'

async function sendAll(window: StreamWindow): Promise<void> {
  while (window.sent < windowFragments) {
    await window.buffer(window.sent)
    window.noteSent()
  }
}

it('gives as many buffers as the window has, then waits for the first to come back', async () => {
  const window = new StreamWindow()
  const first = await window.buffer(0)
  await sendAll(window)
  let given: Uint8Array | undefined
  const waiting = window.buffer(windowFragments).then((buffer) => (given = buffer))
  await Promise.resolve()
  expect(given).toBeUndefined()
  window.noteReturned(1)
  await waiting
  expect(given).toBe(first)
})

it('refuses what cannot have been returned', async () => {
  const window = new StreamWindow()
  await sendAll(window)
  window.noteReturned(3)
  for (const count of [-1, 0, 3, windowFragments + 1, Number.NaN]) {
    expect(() => window.noteReturned(count), String(count)).toThrow(
      expect.objectContaining({ code: 'PROTOCOL' }) as Error,
    )
  }
  window.noteReturned(windowFragments)
})

it('ends those who wait', async () => {
  const window = new StreamWindow()
  await sendAll(window)
  const reason = new Error('over')
  const waiting = window.buffer(windowFragments)
  window.end(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(window.buffer(windowFragments)).rejects.toBe(reason)
})
