import { expect, test } from 'vitest'
import { PlaitError } from '../base/error.ts'
import type { ErrorCode } from '../base/error.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Link, LinkAddress } from '../link/link.ts'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { Scheduler } from '../runtime/simulated/scheduler.ts'
import { simulatedRuntime } from '../runtime/simulated/simulated-runtime.ts'
import { stepTurns } from '../runtime/system/turn.ts'
import { Backoff } from './backoff.ts'
import { Dial } from './dial.ts'
import { KnownAddresses } from './known-addresses.ts'

/** What happens at an address: an error after some ms, a link, or nothing ever. */
type Scene = { readonly ms: number; readonly code?: ErrorCode } | 'silent'

class Stage {
  readonly scheduler = new Scheduler()
  readonly random = new SeededRandom(1)
  readonly known = new KnownAddresses()
  readonly tried: string[] = []
  readonly aborted: string[] = []
  greetings: (ErrorCode | 'ok')[] = []
  ended = 0
  readonly dial: Dial<string>

  constructor(sceneByHost: Record<string, Scene>) {
    const { timers } = simulatedRuntime({ scheduler: this.scheduler })
    this.dial = new Dial<string>({
      remoteId: 'them' as NodeId,
      known: this.known,
      timers,
      random: this.random,
      ended: () => void (this.ended += 1),
      greet: async () => {
        const answer = this.greetings.shift() ?? 'ok'
        if (answer !== 'ok') throw new PlaitError(answer, answer)
        this.dial.succeed('session')
        return 'session'
      },
      link: (address, signal) => this.#play(address, signal, sceneByHost[address.host] ?? 'silent'),
    })
    this.dial.add(Object.keys(sceneByHost).map((host) => ({ host, port: 1 })))
  }

  /** Until nothing is left to happen. */
  async finish<Value>(promise: Promise<Value>): Promise<Value | ErrorCode> {
    const result = promise.catch((error: unknown) =>
      PlaitError.is(error) ? error.code : Promise.reject(error as Error),
    )
    await stepTurns(() => this.scheduler.step(Infinity))
    return result
  }

  #play(address: LinkAddress, signal: AbortSignal, scene: Scene): Promise<Link> {
    this.tried.push(`${address.host} at ${Math.round(this.scheduler.now)}`)
    signal.addEventListener('abort', () => this.aborted.push(address.host))
    return new Promise((resolve, reject) => {
      if (scene === 'silent') return
      this.scheduler.at(this.scheduler.now + scene.ms, () => {
        if (scene.code === undefined)
          resolve({ abort: () => this.aborted.push(`link ${address.host}`) } as unknown as Link)
        else reject(new PlaitError(scene.code, scene.code))
      })
    })
  }
}

test('tries the next address when one has failed, or has been silent for 250 ms', async () => {
  const stage = new Stage({ silent: 'silent', closed: { ms: 5, code: 'UNREACHABLE' }, good: { ms: 10 } })
  expect(await stage.finish(stage.dial.wait(5_000, undefined))).toBe('session')
  expect(stage.tried).toEqual(['silent at 0', 'closed at 250', 'good at 255'])
  expect(stage.aborted).toEqual(['silent'])
  expect(stage.ended).toBe(1)
  expect(stage.scheduler.waiting).toBe(0)
})

test('a link that comes after the race is closed', async () => {
  const stage = new Stage({ slow: { ms: 300 }, quick: { ms: 10 } })
  expect(await stage.finish(stage.dial.wait(5_000, undefined))).toBe('session')
  expect(stage.aborted).toEqual(['slow', 'link slow'])
})

test('goes on with growing pauses after what may pass, until the time is up', async () => {
  const stage = new Stage({ closed: { ms: 0, code: 'UNREACHABLE' } })
  expect(await stage.finish(stage.dial.wait(10_000, undefined))).toBe('UNREACHABLE')
  expect(stage.scheduler.now).toBe(10_000)
  const times = stage.tried.map((line) => Number(line.split(' ')[2]))
  const pauses = times.slice(1).map((time, index) => time - times[index]!)
  expect(pauses.length).toBeGreaterThan(6)
  pauses.forEach((pause, index) => {
    const ceiling = Math.min(50 * 2 ** index, 5_000)
    expect(pause).toBeGreaterThanOrEqual(ceiling / 2 - 1)
    expect(pause).toBeLessThanOrEqual(ceiling + 2)
  })
})

test('the table of errors: final ones end it at once, the others are tried again', async () => {
  const final: ErrorCode[] = [
    'WRONG_KEY',
    'WRONG_NETWORK',
    'VERSION_MISMATCH',
    'SELF_DIAL',
    'TOO_MANY_SESSIONS',
    'PROTOCOL',
    'INVALID_KEY',
    'NODE_CLOSED',
  ]
  const retried: ErrorCode[] = [
    'UNREACHABLE',
    'HANDSHAKE_TIMEOUT',
    'LINK_LOST',
    'PEER_RESTARTED',
    'GOING_AWAY',
    'DUPLICATE',
    'BUDGET',
    'LIMIT',
  ]
  for (const code of [...final, ...retried]) {
    for (const where of ['link', 'greeting']) {
      const stage = new Stage({ host: where === 'link' ? { ms: 1, code } : { ms: 1 } })
      if (where === 'greeting') stage.greetings = Array<ErrorCode>(99).fill(code)
      expect(await stage.finish(stage.dial.wait(1_000, undefined)), code).toBe(
        final.includes(code) ? code : 'UNREACHABLE',
      )
      expect(stage.tried.length === 1, code).toBe(final.includes(code))
    }
  }
})

test('a final error at one address leaves the others', async () => {
  const stage = new Stage({ wrong: { ms: 1, code: 'WRONG_KEY' }, closed: { ms: 1, code: 'UNREACHABLE' } })
  expect(await stage.finish(stage.dial.wait(1_000, undefined))).toBe('UNREACHABLE')
  expect(stage.tried.filter((line) => line.startsWith('wrong'))).toHaveLength(1)
  const both = new Stage({ wrong: { ms: 1, code: 'WRONG_KEY' }, old: { ms: 1, code: 'VERSION_MISMATCH' } })
  expect(await both.finish(both.dial.wait(1_000, undefined))).toBe('WRONG_KEY')
})

test('ends when the last who waited has gone', async () => {
  const stage = new Stage({ silent: 'silent' })
  const controller = new AbortController()
  stage.scheduler.at(100, () => controller.abort(new PlaitError('ABORTED', 'gone')))
  const short = stage.dial.wait(50, undefined).catch(() => {})
  expect(await stage.finish(stage.dial.wait(5_000, controller.signal))).toBe('ABORTED')
  await short
  expect([stage.ended, stage.scheduler.now, stage.scheduler.waiting]).toEqual([1, 100, 0])
  expect(stage.aborted).toEqual(['silent'])
})

test('pauses differ from node to node, so that a crowd disperses', () => {
  const pauses = (seed: number): number[] => {
    const backoff = new Backoff(new SeededRandom(seed))
    return Array.from({ length: 20 }, () => backoff.next())
  }
  expect(pauses(1)).not.toEqual(pauses(2))
  expect(Math.min(...pauses(3))).toBeGreaterThanOrEqual(25)
  expect(Math.max(...pauses(3))).toBeLessThanOrEqual(5_000)
})

test('the address that has worked is tried first, and only the last 1,024 nodes are remembered', () => {
  const known = new KnownAddresses()
  const [a, b] = [
    { host: 'a', port: 1 },
    { host: 'b', port: 1 },
  ]
  const id = (text: string): NodeId => text as NodeId
  expect(known.order(id('x'), [a, b])).toEqual([a, b])
  known.worked(id('x'), b)
  expect(known.order(id('x'), [a, b])).toEqual([b, a])
  expect(known.order(id('x'), [a])).toEqual([a, b])
  expect(known.order(id('x'), [])).toEqual([b])
  for (let index = 0; index < 1_023; index += 1) known.worked(id(`n${index}`), a)
  expect(known.order(id('x'), [])).toEqual([b])
  known.worked(id('one more'), a)
  expect(known.order(id('x'), [])).toEqual([])
})
