import { describe, expect, it } from 'vitest'
import { PlaitError } from '../base/error.ts'
import { simulatedIdentity } from '../identity/simulated.ts'
import { memoryLinks } from '../link/memory/memory-link.ts'
import type { Link, LinkHandlers } from '../link/link.ts'
import { systemRandom } from '../runtime/system/random.ts'
import { systemTimers } from '../runtime/system/timers.ts'
import { linkSuite } from './link-suite.ts'

const near = simulatedIdentity(Uint8Array.of(1)).id
const far = simulatedIdentity(Uint8Array.of(2)).id
const runtime = { timers: systemTimers, random: systemRandom() }

/** What a link of a bad transport does otherwise than the good one that it stands before. */
type Fault = (good: Link, otherEnd: () => Link) => Partial<Link>

/** Runs the suite over links with a fault, and gives the titles of what fails; what hangs counts after two seconds. */
async function failures(fault: Fault): Promise<string[]> {
  const tests: { readonly title: string; readonly body: () => Promise<void> }[] = []
  const makePair = async (): Promise<{ near: Link; far: Link; timers: typeof systemTimers }> => {
    const [dialled, accepted] = memoryLinks(runtime, near, far)
    const ends: Link[] = []
    ends.push(
      faulty(
        dialled,
        fault(dialled, () => ends[1] as Link),
      ),
      faulty(
        accepted,
        fault(accepted, () => ends[0] as Link),
      ),
    )
    return { near: ends[0] as Link, far: ends[1] as Link, timers: systemTimers }
  }
  linkSuite('bad', makePair, {
    describe: (_name, body) => body(),
    it: (title, body) => void tests.push({ title, body }),
  })
  const failed = new Set<string>()
  const run = async ({ title, body }: (typeof tests)[number]): Promise<void> => {
    const hung = new Promise<boolean>((resolve) => void systemTimers.after(2_000, () => resolve(false)))
    const passed = body().then(
      () => true,
      () => false,
    )
    if (!(await Promise.race([passed, hung]))) failed.add(title.replace(/ \(from the (near|far) end\)$/, ''))
  }
  // One after the other, for each holds megabytes.
  for (const test of tests) await run(test)
  return [...failed]
}

function faulty(good: Link, changes: Partial<Link>): Link {
  const link = {
    remoteId: good.remoteId,
    binding: good.binding,
    dialled: good.dialled,
    remoteAddress: good.remoteAddress,
    attach: (handlers: LinkHandlers) => good.attach(handlers),
    write: (chunks: readonly Uint8Array[]) => good.write(chunks),
    close: () => good.close(),
    abort: (reason?: PlaitError) => good.abort(reason),
  }
  Object.defineProperty(link, 'pendingBytes', { configurable: true, get: () => good.pendingBytes })
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(changes)))
    Object.defineProperty(link, name, descriptor)
  return link as typeof link & Link
}

const identity = 'knows its ends and shares a binding with the other end only'
const order = 'keeps every byte and their order, in any split'
const pending = 'counts pending bytes, down to none, and calls drain outside of write'
const inside = 'calls no handler inside a call of its own'
const acknowledged = 'gives a chunk back when the far end has acknowledged it'
const ended = 'gives back everything that it has borrowed when it reports its end'
const lending = 'lends what it delivers, and borrows what it is given'
const abortion = 'aborts at once, with the reason here and a typed error there'
const finality = 'has ended for good: what is asked of it then does nothing'
const late = 'tells late handlers of an abort at their own end, with its reason'
const midst = 'aborts in the midst of a graceful end, and has a typed error of its own when no reason is given'
const inHandler = 'delivers nothing after an abort inside the data handler'

/** Handlers that a fault stands before. */
const around = (good: Link, change: (handlers: LinkHandlers) => Partial<LinkHandlers>): Partial<Link> => ({
  attach: (handlers) =>
    good.attach({
      data: (bytes) => handlers.data(bytes),
      drain: () => handlers.drain(),
      close: (error) => handlers.close(error),
      ...change(handlers),
    }),
})

const later = (run: () => void): void => void systemTimers.after(5, run)

const faults: readonly (readonly [name: string, caught: readonly string[], fault: Fault])[] = [
  [
    'has a binding of its own at each end',
    [identity],
    () => ({ binding: new Uint8Array(32).map(() => Math.random() * 256) }),
  ],
  ['has the same binding always', [identity], () => ({ binding: new Uint8Array(32) })],
  ['does not know the other end', [identity], () => ({ remoteId: near })],
  ['says that both ends dialled', [identity], () => ({ dialled: true })],
  ['has no address', [identity], () => ({ remoteAddress: '' })],
  ['counts no pending bytes', [pending], () => ({ pendingBytes: 0 })],
  [
    'reverses the chunks of a write',
    [order, lending],
    (good) => ({ write: (chunks) => good.write([...chunks].reverse()) }),
  ],
  [
    'scribbles over what it is given',
    [lending],
    (good) => ({
      write: (chunks) => {
        good.write(chunks.map((chunk) => chunk.slice()))
        for (const chunk of chunks) chunk.fill(0)
      },
    }),
  ],
  [
    'drains inside of write',
    [pending, inside],
    (good) => {
      let drain = (): void => {}
      return {
        attach: (handlers) => {
          drain = () => handlers.drain()
          good.attach(handlers)
        },
        write: (chunks) => {
          good.write(chunks)
          drain()
        },
      }
    },
  ],
  [
    'reads a chunk again after it was acknowledged',
    [acknowledged],
    (good) => {
      let previous: Uint8Array[] = []
      return {
        write: (chunks) => {
          // A cache of the last write, that it believes not to change.
          good.write(chunks.map((chunk, index) => (previous[index]?.length === chunk.length ? previous[index] : chunk)))
          previous = chunks.map((chunk) => chunk.slice())
        },
      }
    },
  ],
  [
    'reports the end before it has read all that was lent to it',
    [ended],
    (good) =>
      around(good, (handlers) => ({
        data: (bytes) => later(() => handlers.data(bytes)),
        close: (error) => (good.dialled ? later(() => handlers.close(error)) : handlers.close(error)),
      })),
  ],
  [
    'reports an abort inside of it',
    [inside],
    (good) => {
      let told: LinkHandlers | undefined
      return {
        ...around(good, (handlers) => {
          told = handlers
          return { close: (error) => told !== undefined && handlers.close(error) }
        }),
        abort: (reason) => {
          const handlers = told
          told = undefined
          good.abort(reason)
          handlers?.close(reason ?? new PlaitError('ABORTED', 'aborted'))
        },
      }
    },
  ],
  ['aborts without the reason', [abortion, late], (good) => ({ abort: () => good.abort() })],
  [
    'ends without an error when it is aborted',
    [abortion, midst, inHandler],
    (good) => around(good, (handlers) => ({ close: () => handlers.close() })),
  ],
  [
    'cannot be aborted while it closes',
    [midst],
    (good) => {
      let isClosing = false
      return {
        close: () => {
          isClosing = true
          good.close()
        },
        abort: (reason) => {
          if (!isClosing) good.abort(reason)
        },
      }
    },
  ],
  [
    'reports its end once more when it is aborted after it',
    [finality],
    (good) => {
      let end: (() => void) | undefined
      return {
        ...around(good, (handlers) => ({
          close: (error) => {
            end = () => handlers.close(error)
            handlers.close(error)
          },
        })),
        abort: (reason) => {
          good.abort(reason)
          if (end !== undefined) later(end)
        },
      }
    },
  ],
  [
    'counts what is written after the end',
    [finality],
    (good) => {
      let written = 0
      return {
        write: (chunks) => {
          good.write(chunks)
          if (good.pendingBytes === 0) for (const chunk of chunks) written += chunk.length
        },
        get pendingBytes() {
          return good.pendingBytes + written
        },
      }
    },
  ],
]

describe('the link suite finds a link that', () => {
  it.each(faults.map(([name, caught, fault]) => ({ name, caught, fault })))(
    '$name',
    { timeout: 60_000 },
    async ({ caught, fault }) => {
      const failed = await failures(fault)
      expect(failed).toEqual(expect.arrayContaining([...caught]))
      expect(failed.length, failed.join('; ')).toBeLessThan(8)
    },
  )

  it('is good, and lets it pass', { timeout: 60_000 }, async () => {
    expect(await failures(() => ({}))).toEqual([])
  })
})
