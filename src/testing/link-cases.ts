import { PlaitError } from '../base/error.ts'
import type { Link, LinkHandlers } from '../link/link.ts'
import type { Timers } from '../runtime/timers.ts'
import type { Expect } from './expectation.ts'
import { difference, joined, observe, randomChunks, settle } from './link-observation.ts'

/** Two joined links, to nobody attached yet, and what is to be cleaned up after them. `near` has dialled `far`. */
export interface LinkPair {
  readonly near: Link
  readonly far: Link
  /** The time on which the links live. */
  readonly timers: Timers
  /** Called when a test is over and both links are aborted. */
  close?(): Promise<void> | void
}

/** A pair seen from one of its ends. */
export interface LinkEnds {
  readonly sender: Link
  readonly receiver: Link
  readonly timers: Timers
  readonly makePair: () => Promise<LinkPair>
}

/** One thing that links must do. */
export interface LinkCase {
  readonly title: string
  readonly run: (ends: LinkEnds, expect: Expect) => Promise<void>
}

/** What `linkSuite` runs. */
export const linkCases: readonly LinkCase[] = [
  {
    title: 'knows its ends and shares a binding with the other end only',
    run: async ({ sender, receiver, makePair }, expect) => {
      expect(sender.binding.length).toBe(32)
      expect(sender.binding).toEqual(receiver.binding)
      expect(sender.dialled !== receiver.dialled).toBe(true)
      expect(/^[a-z2-7]{52}$/.test(sender.remoteId)).toBe(true)
      expect(sender.remoteId === receiver.remoteId, 'both ends are the same node').toBe(false)
      expect(/.:[^:]+$/.test(sender.remoteAddress), `the address ${sender.remoteAddress}`).toBe(true)
      expect((sender.elapsedMs ?? 0) >= 0, 'the time that the transport took').toBe(true)
      const other = await makePair()
      expect(difference(other.near.binding, sender.binding) === undefined, 'two links have the same binding').toBe(
        false,
      )
      other.near.abort()
      other.far.abort()
      await other.close?.()
    },
  },

  {
    title: 'keeps every byte and their order, in any split',
    run: async ({ sender, receiver }, expect) => {
      const received = observe(receiver)
      observe(sender)
      const sent = randomChunks(400)
      for (let index = 0; index < sent.length; index += 1 + (index % 5))
        sender.write(sent.slice(index, index + 1 + (index % 5)))
      sender.close()
      expect(await received.closed).toBe(undefined)
      expect(difference(received.bytes(), joined(sent))).toBe(undefined)
    },
  },

  {
    title: 'delivers nothing before handlers are attached, and all of it then',
    run: async ({ sender, receiver, timers }, expect) => {
      const sent = randomChunks(40)
      observe(sender)
      sender.write(sent)
      await settle(timers)
      const received = observe(receiver)
      expect(received.bytes().length).toBe(0)
      sender.close()
      expect(await received.closed).toBe(undefined)
      expect(difference(received.bytes(), joined(sent))).toBe(undefined)
    },
  },

  {
    title: 'lends what it delivers, and borrows what it is given',
    run: async ({ sender, receiver }, expect) => {
      const copies: Uint8Array[] = []
      const closed = new Promise<PlaitError | undefined>((resolve) => {
        receiver.attach({
          data(bytes) {
            copies.push(bytes.slice())
            // Writing inside the call must leave the lent bytes alone.
            receiver.write([Uint8Array.of(1, 2, 3)])
            expect(difference(bytes, copies.at(-1)!)).toBe(undefined)
          },
          drain() {},
          close: resolve,
        })
      })
      const back = observe(sender)
      const sent = randomChunks(100)
      const pristine = joined(sent)
      sender.write(sent)
      sender.close()
      expect(await closed).toBe(undefined)
      expect(await back.closed).toBe(undefined)
      expect(difference(joined(copies), pristine)).toBe(undefined)
      expect(difference(joined(sent), pristine), "the sender's bytes are unchanged").toBe(undefined)
    },
  },

  {
    title: 'counts pending bytes, down to none, and calls drain outside of write',
    run: async ({ sender, receiver }, expect) => {
      let inWrite = false
      let drainedInWrite = false
      let drains = 0
      let lowest = Number.POSITIVE_INFINITY
      const drained = new Promise<void>((resolve) => {
        sender.attach({
          data() {},
          drain() {
            drains += 1
            drainedInWrite ||= inWrite
            expect(sender.pendingBytes < lowest || lowest === 0).toBe(true)
            lowest = sender.pendingBytes
            if (sender.pendingBytes === 0) resolve()
          },
          close() {},
        })
      })
      const received = observe(receiver)
      expect(sender.pendingBytes).toBe(0)
      inWrite = true
      for (let index = 1; index <= 8; index += 1) {
        sender.write([new Uint8Array(100_000), new Uint8Array(0), new Uint8Array(1)])
        expect(sender.pendingBytes).toBe(index * 100_001)
      }
      sender.write([new Uint8Array(0)])
      sender.write([])
      expect(sender.pendingBytes).toBe(8 * 100_001)
      inWrite = false
      await drained
      expect(drainedInWrite).toBe(false)
      expect(drains).toBeGreaterThan(0)
      sender.close()
      await received.closed
      expect(received.bytes().length).toBe(8 * 100_001)
      expect(sender.pendingBytes).toBe(0)
    },
  },

  {
    title: 'calls no handler inside a call of its own',
    run: async ({ sender, receiver, timers }, expect) => {
      let calling = ''
      const seen: string[] = []
      const note = (handler: string): void => {
        if (calling !== '') seen.push(`${handler} inside ${calling}`)
      }
      const inside = (name: string, call: () => void): void => {
        calling = name
        call()
        calling = ''
      }
      const handlers = (end: string, closed: () => void): LinkHandlers => ({
        data: () => note(`${end} data`),
        drain: () => note(`${end} drain`),
        close: () => {
          note(`${end} close`)
          closed()
        },
      })
      receiver.write([Uint8Array.of(1)])
      await settle(timers)
      const far = new Promise<void>((resolve) => inside('attach', () => receiver.attach(handlers('far', resolve))))
      const near = new Promise<void>((resolve) => inside('attach', () => sender.attach(handlers('near', resolve))))
      inside('write', () => sender.write([new Uint8Array(1_000)]))
      inside('write', () => receiver.write([new Uint8Array(1_000)]))
      await settle(timers)
      inside('close', () => receiver.close())
      inside('abort', () => sender.abort())
      await Promise.all([near, far])
      expect(seen).toEqual([])
    },
  },

  {
    title: 'gives a chunk back when the far end has acknowledged it',
    run: async ({ sender, receiver }, expect) => {
      const received = new Uint8Array(8)
      const rounds = 20
      let count = 0
      let heard = 0
      let wake = (): void => {}
      receiver.attach({
        data(bytes) {
          for (const byte of bytes) received[count++ % received.length] = byte
          if (count % received.length === 0) receiver.write([received.slice()])
        },
        drain() {},
        close() {},
      })
      const echoed: Uint8Array[] = []
      sender.attach({
        data(bytes) {
          echoed.push(bytes.slice())
          heard += bytes.length
          if (heard % received.length === 0) wake()
        },
        drain() {},
        close() {},
      })
      const reused = new Uint8Array(8)
      const sent: Uint8Array[] = []
      for (let round = 1; round <= rounds; round += 1) {
        reused.fill(round)
        sent.push(reused.slice())
        const answered = new Promise<void>((resolve) => (wake = resolve))
        sender.write([reused.subarray(0, 3), reused.subarray(3)])
        await answered
        reused.fill(0xdb)
      }
      expect(difference(joined(echoed), joined(sent))).toBe(undefined)
    },
  },

  {
    title: 'gives back everything that it has borrowed when it reports its end',
    run: async ({ sender, receiver }, expect) => {
      const near = observe(sender)
      const lent = randomChunks(60)
      const pristine = joined(lent)
      const far = observe(receiver, () => {
        for (const chunk of lent) chunk.fill(0xdb)
      })
      receiver.write(lent)
      sender.close()
      expect(await far.closed).toBe(undefined)
      expect(await near.closed).toBe(undefined)
      expect(difference(near.bytes(), pristine)).toBe(undefined)
    },
  },

  {
    title: 'closes in order: what was written by both arrives, neither sees an error',
    run: async ({ sender, receiver }, expect) => {
      const near = observe(sender)
      const far = observe(receiver)
      const there = randomChunks(30)
      const back = randomChunks(20)
      receiver.write(back)
      sender.write(there)
      sender.close()
      sender.close()
      sender.write([Uint8Array.of(1)])
      expect(await near.closed).toBe(undefined)
      expect(await far.closed).toBe(undefined)
      expect(difference(far.bytes(), joined(there))).toBe(undefined)
      expect(difference(near.bytes(), joined(back))).toBe(undefined)
    },
  },

  {
    title: 'closes in order when both ends close in the same turn',
    run: async ({ sender, receiver }, expect) => {
      const near = observe(sender)
      const far = observe(receiver)
      sender.write([Uint8Array.of(1)])
      receiver.write([Uint8Array.of(2)])
      sender.close()
      receiver.close()
      expect(await near.closed).toBe(undefined)
      expect(await far.closed).toBe(undefined)
      expect([...near.bytes(), ...far.bytes()]).toEqual([2, 1])
    },
  },

  {
    title: 'aborts at once, with the reason here and a typed error there',
    run: async ({ sender, receiver, timers }, expect) => {
      const lent = new Uint8Array(4_000_000).fill(7)
      const near = observe(sender, () => lent.fill(0xdb))
      const far = observe(receiver)
      await settle(timers)
      sender.write([lent])
      const reason = new PlaitError('BUDGET', 'too much')
      sender.abort(reason)
      sender.abort(new PlaitError('LIMIT', 'a later reason'))
      sender.close()
      sender.write([Uint8Array.of(1)])
      expect(await near.closed).toBe(reason)
      expect(PlaitError.is(await far.closed)).toBe(true)
      await settle(timers)
      expect([near.closeCalls(), far.closeCalls()]).toEqual([1, 1])
      expect([near.callsAfterClose(), far.callsAfterClose()]).toEqual([0, 0])
      expect(sender.pendingBytes).toBe(0)
      expect(
        far.bytes().every((byte) => byte === 7),
        'nothing that came had been overwritten',
      ).toBe(true)
    },
  },

  {
    title: 'aborts in the midst of a graceful end, and has a typed error of its own when no reason is given',
    run: async ({ sender, receiver }, expect) => {
      const near = observe(sender)
      const far = observe(receiver)
      sender.write([new Uint8Array(4_000_000)])
      sender.close()
      sender.abort()
      expect(PlaitError.is(await near.closed)).toBe(true)
      expect(PlaitError.is(await far.closed)).toBe(true)
    },
  },

  {
    title: 'has ended for good: what is asked of it then does nothing',
    run: async ({ sender, receiver, timers }, expect) => {
      const near = observe(sender)
      const far = observe(receiver)
      sender.close()
      await near.closed
      await far.closed
      for (const link of [sender, receiver]) {
        link.write([Uint8Array.of(1)])
        link.close()
        link.abort(new PlaitError('LIMIT', 'too late to be a reason'))
        expect(link.pendingBytes).toBe(0)
      }
      await settle(timers)
      expect([near.closeCalls(), far.closeCalls()]).toEqual([1, 1])
      expect([near.callsAfterClose(), far.callsAfterClose()]).toEqual([0, 0])
    },
  },

  {
    title: 'delivers nothing after an abort inside the data handler',
    run: async ({ sender, receiver }, expect) => {
      observe(sender)
      let calls = 0
      const closed = new Promise<PlaitError | undefined>((resolve) => {
        receiver.attach({
          data() {
            calls += 1
            receiver.abort()
          },
          drain() {},
          close: resolve,
        })
      })
      sender.write(Array.from({ length: 50 }, () => new Uint8Array(20_000)))
      expect(PlaitError.is(await closed)).toBe(true)
      expect(calls).toBe(1)
    },
  },

  {
    title: 'tells late handlers of an end that came before them',
    run: async ({ sender, receiver, timers }, expect) => {
      const near = observe(sender)
      sender.abort()
      expect(PlaitError.is(await near.closed)).toBe(true)
      await settle(timers)
      const far = observe(receiver)
      expect(PlaitError.is(await far.closed)).toBe(true)
      expect(far.closeCalls()).toBe(1)
    },
  },

  {
    title: 'tells late handlers of an abort at their own end, with its reason',
    run: async ({ sender, receiver }, expect) => {
      const reason = new PlaitError('BUDGET', 'too much')
      sender.write([Uint8Array.of(1)])
      sender.abort(reason)
      const near = observe(sender)
      expect(await near.closed).toBe(reason)
      const far = observe(receiver)
      expect(PlaitError.is(await far.closed)).toBe(true)
    },
  },
]
