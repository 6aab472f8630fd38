import { describe, expect, it } from 'vitest'
import type { Batch } from '../../src/broadcast/batch.ts'
import { defaultSettings } from '../../src/broadcast/settings.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import type { RelayMessage } from '../../src/broadcast/messages.ts'
import { keyedIdentity } from './keyed.ts'
import { batchOf, LoneMember } from './lone-member.ts'

const others = Array.from({ length: 12 }, (_, index) => keyedIdentity(`other ${index}`))
const [author, first, second, third] = others as [Identity, Identity, Identity, Identity]
const identity = keyedIdentity('lone')
const garbage = (): Uint8Array => new Uint8Array(64).fill(7)

function member(): LoneMember {
  return new LoneMember({ identity, others })
}

/** Handed over with the duty to bring it to all others. */
function relayOf({ bytes: batch }: Batch, more: Partial<RelayMessage> = {}): RelayMessage {
  const region = { from: identity.id, to: identity.id }
  return { ticket: 1, region, hops: 1, isAgain: false, skipped: [], batch, ...more }
}

describe('B3', () => {
  it('a message by 3 paths and 10,000 replays is delivered once and relayed once, also after 1,000,000 others', () => {
    const lone = member()
    const batch = batchOf(author, 1)
    const paths = [first, second, third]
    for (const from of paths) lone.hear(from, 'relay', relayOf(batch))
    const relays = lone.take('relay')
    expect(relays.length).toBe(3)
    expect(new Set(relays.map(({ to }) => to)).size).toBe(3)
    const replay = (): void => {
      for (let time = 0; time < 10_000; time += 1) {
        const from = paths[time % 3] as Identity
        if (time % 2 === 0) lone.hear(from, 'relay', relayOf(batch, { ticket: time }))
        else lone.hear(from, 'batch', { batch: batch.bytes })
      }
      lone.sent.splice(0, lone.sent.length, ...lone.sent.filter(({ message }) => message.name !== 'done'))
    }
    replay()
    expect(lone.delivered.length).toBe(1)
    expect(lone.take('relay')).toEqual([])
    // 400,000 by the same author, in more batches than are told apart; the rest by others.
    const texts = Array.from({ length: 80 }, (_, index) => `message ${index}`)
    for (let counter = 2; counter <= 5_001; counter += 1)
      lone.hear(first, 'batch', { batch: batchOf(author, counter, { texts }).bytes })
    for (const other of others.slice(1, 7))
      for (let counter = 1; counter <= 1_250; counter += 1)
        lone.hear(first, 'batch', { batch: batchOf(other, counter, { texts }).bytes })
    expect(lone.broadcaster.counts.delivered).toBe(1 + 1_000_000)
    const before = lone.delivered.length
    replay()
    expect(lone.delivered.length).toBe(before)
    expect(lone.take('relay')).toEqual([])
    const { bytes, batches, authors } = lone.broadcaster.held
    expect(bytes).toBeLessThanOrEqual(defaultSettings.archiveBytes)
    expect(batches).toBeLessThan(8_000)
    expect(authors).toBeLessThanOrEqual(others.length)
  })

  it('10,000 replays, each with another duty, cost some questions and no bodies', () => {
    const lone = member()
    const batch = batchOf(author, 1)
    lone.hear(first, 'relay', relayOf(batch))
    expect(lone.take('relay').length).toBe(3)
    for (let time = 0; time < 10_000; time += 1) {
      const [from, to] = [others[time % 12] as Identity, others[(time * 7 + 3) % 12] as Identity]
      lone.hear(second, 'relay', relayOf(batch, { ticket: time, region: { from: from.id, to: to.id } }))
    }
    expect(lone.take('relay')).toEqual([])
    expect(lone.take('offer').length).toBeLessThan(64)
    expect(lone.delivered.length).toBe(1)
  })

  it('garbage with the same id that arrives first does not suppress the real one', () => {
    const lone = member()
    const forged = batchOf(author, 1, { texts: ['garbage'], sign: garbage })
    for (const from of [first, second]) lone.hear(from, 'relay', relayOf(forged))
    lone.hear(third, 'batch', { batch: forged.bytes })
    expect(lone.delivered).toEqual([])
    expect(lone.sent).toEqual([])
    expect(lone.blamed).toEqual([first.id, second.id, third.id])
    const real = batchOf(author, 1)
    lone.hear(second, 'relay', relayOf(real))
    expect(lone.delivered.map(({ bytes }) => bytes)).toEqual([real.bytes])
    expect(lone.take('relay').length).toBe(3)
  })

  it('what its author has signed for another network is refused', () => {
    const lone = member()
    const foreign = batchOf(author, 1, { network: 'elsewhere' })
    lone.hear(first, 'relay', relayOf(foreign))
    expect([lone.delivered, lone.sent, lone.blamed]).toEqual([[], [], [first.id]])
  })

  it('what was sent to one member is taken from its author only, and given to nobody else, whoever asks', () => {
    const lone = member()
    const batch = batchOf(author, 1, { isDirect: true })
    lone.hear(first, 'relay', relayOf(batch, { region: undefined }))
    expect(lone.delivered).toEqual([])
    lone.hear(author, 'relay', relayOf(batch, { region: undefined }))
    expect(lone.delivered.length).toBe(1)
    lone.take('done')
    const offers = [{ author: author.id, epoch: 1, runs: [{ first: 1, count: 1 }] }]
    lone.hear(first, 'want', { offers })
    lone.hear(first, 'offer', { ...relayOf(batch), author: author.id, epoch: 1, counter: 1 })
    expect(lone.take('batch')).toEqual([])
    expect(lone.take('relay')).toEqual([])
    expect(lone.take('done').length).toBe(1)
  })

  it('who has got a batch from its author itself gives it to others only if its author has signed it', () => {
    const lone = member()
    lone.hear(author, 'relay', relayOf(batchOf(author, 1, { sign: garbage })))
    expect(lone.delivered.length).toBe(1)
    expect(lone.take('relay')).toEqual([])
    expect(lone.blamed).toEqual([author.id])
    lone.hear(first, 'want', { offers: [{ author: author.id, epoch: 1, runs: [{ first: 1, count: 1 }] }] })
    expect(lone.take('batch')).toEqual([])
  })
})

describe('the answer', () => {
  it('is given when all of a part is through, and not before', () => {
    const lone = member()
    lone.hear(first, 'relay', relayOf(batchOf(author, 1)))
    expect(lone.take('taken').map(({ to }) => to)).toEqual([first.id])
    expect(lone.take('done')).toEqual([])
    const relays = lone.take('relay')
    for (const [index, { to, value }] of relays.entries()) {
      expect(lone.take('done')).toEqual([])
      const child = others.find(({ id }) => id === to) as Identity
      lone.hear(child, 'done', { ticket: value.ticket, reached: index, missing: 0, unreached: [] })
    }
    expect(lone.take('done')).toEqual([
      { to: first.id, value: { ticket: 1, reached: 3 + 0 + 1 + 2, missing: 0, unreached: [] } },
    ])
  })

  it('of who knows a later epoch of the author is that it has not got it, and its part goes to another', () => {
    const lone = member()
    lone.hear(author, 'relay', relayOf(batchOf(author, 1, { epoch: 5 }), { region: undefined }))
    lone.take('done')
    lone.hear(first, 'relay', relayOf(batchOf(author, 9, { epoch: 4 })))
    expect(lone.delivered.length).toBe(1)
    expect(lone.take('done')).toEqual([
      { to: first.id, value: { ticket: 1, reached: 0, missing: 1, unreached: [lone.identity.id] } },
    ])
    const own = lone.broadcaster.publish([], undefined, 0, { eased: () => undefined, over: () => undefined })
    expect(own.counter).toBe(1)
    const [relay] = lone.take('relay')
    const refused = (to: NodeId | undefined): Identity => {
      const child = others.find(({ id }) => id === to) as Identity
      lone.hear(child, 'done', { ticket: relay?.value.ticket ?? 0, reached: 0, missing: 1, unreached: [child.id] })
      return child
    }
    refused(relay?.to)
    const [next] = lone.take('relay')
    expect(next?.value.region).toEqual(relay?.value.region)
    // The first one stands at the edge of its part, and is not in it.
    expect(next?.value.skipped).toEqual([])
    const second = refused(next?.to)
    const [last] = lone.take('relay')
    expect(last?.value.region).toEqual(relay?.value.region)
    expect(last?.value.skipped).toEqual([second.id])
  })
})
