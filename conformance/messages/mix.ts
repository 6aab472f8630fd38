import { setTimeout as sleep } from 'node:timers/promises'
import { heartbeat, type Messenger } from 'plait'
import { Echo, Late, Never, Nobody, Note, Rows } from './types.ts'

// A mix of everything that messages can do, of which both ends do a part at the same time.

const none = new Uint8Array(0)

/** How much of the mix stays alive. */
export const left = { streams: 2, requests: 3 } as const

/** The part of who began the circuit; both ends serve `Echo`, `Note` and `Rows`. */
export async function ourPart(messages: Messenger, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await mixed(messages, round)
  for (let index = 0; index < left.requests; index += 1) messages.request(Never, 'for ever').catch(() => {})
  for (let index = 0; index < left.streams; index += 1) messages.stream(Never, 'for ever')
}

export async function theirPart(messages: Messenger): Promise<void> {
  for (let round = 0; round < 5; round += 1) await mixed(messages, round)
}

async function mixed(messages: Messenger, round: number): Promise<void> {
  const under: Promise<unknown>[] = []
  const begin = (promise: Promise<unknown>): void => void under.push(promise.catch(() => {}))
  for (let index = 0; index < 20; index += 1) messages.post(Note, index)
  messages.post(heartbeat, none)
  messages.post(Nobody, 'nobody takes this')
  for (let index = 0; index < 20; index += 1) begin(messages.request(Echo, new Uint8Array(index * 200)))
  begin(messages.request(Note, -1))
  begin(messages.request(Nobody, 'nor this'))
  begin(messages.request(Late, 40, { deadlineMs: 5 + round }))
  const controller = new AbortController()
  begin(messages.request(Late, 40, { signal: controller.signal }))
  begin(messages.stream(Nobody, 'nor a stream of it').read())
  let rows = 0
  for await (const row of messages.stream(Rows, 10)) rows += row
  if (rows !== 45) throw new Error(`ten rows come to ${rows}`)
  for await (const row of messages.stream(Rows, 100_000)) if (row === 100) break
  controller.abort()
  await Promise.all(under)
  await sleep(1)
}
