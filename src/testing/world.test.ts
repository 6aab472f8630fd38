import { describe, expect, it } from 'vitest'
import type { PlaitError } from '../base/error.ts'
import type { Link } from '../link/link.ts'
import { addressOf, type Process } from './process.ts'
import { simulatedTransport } from './simulated-transport.ts'
import { World, type WorldOptions } from './world.ts'

const quiet = { latencyMs: 10, jitterMs: 0, gridMs: 1, splits: 0, bytesPerMs: 1e6, readsLate: false }

/** Hosts that say hello to whoever connects, and what they have seen. */
class Village {
  readonly world: World
  readonly log: string[] = []
  readonly links = new Map<string, Link>()

  constructor(options: WorldOptions, names: readonly string[]) {
    this.world = new World(options)
    for (const name of names) this.world.addHost(name, (process) => this.#start(process))
  }

  async dial(from: string, to: string, signal?: AbortSignal): Promise<Link> {
    const { process } = this.world.host(from)
    const target = this.world.host(to)
    const transport = simulatedTransport(this.world.network, process!)
    const link = await transport.dial(addressOf(target), {
      remoteId: target.identity.id,
      ...(signal === undefined ? {} : { signal }),
    })
    this.attach(process!, link, to)
    return link
  }

  attach(process: Process, link: Link, other: string): void {
    const { name } = process.host
    this.links.set(`${name}-${other}`, link)
    link.attach({
      data: (bytes) => this.log.push(`${name} got ${new TextDecoder().decode(bytes)}`),
      drain() {},
      close: (error?: PlaitError) => this.log.push(`${name} ended ${error?.code ?? 'in order'} at ${this.world.now}`),
    })
  }

  #start(process: Process): void {
    const transport = simulatedTransport(this.world.network, process)
    void transport.listen({ host: '0.0.0.0', port: 0 }, (link) => {
      const other = this.world.network.hosts.find(({ identity }) => identity.id === link.remoteId)!
      this.attach(process, link, other.name)
      link.write([new TextEncoder().encode(`hello from ${process.host.name}`)])
    })
  }
}

const bytes = (text: string): Uint8Array[] => [new TextEncoder().encode(text)]

describe('dialling', () => {
  it('takes two round trips', async () => {
    const village = new Village({ seed: 1, conditions: quiet }, ['a', 'b'])
    await village.world.settle(village.dial('a', 'b'))
    expect(village.world.now).toBe(40)
    await village.world.run(1_000)
    expect(village.log).toEqual(['a got hello from b'])
  })

  it('fails typed: refused, wrong key, nobody there, a machine without power, the signal', async () => {
    const village = new Village({ seed: 1, conditions: quiet }, ['a', 'b', 'c'])
    const { world } = village
    const { process } = world.host('a')
    const transport = simulatedTransport(world.network, process!)
    const b = world.host('b')
    const dial = (host: string, port: number, remoteId = b.identity.id): Promise<Link> =>
      world.settle(transport.dial({ host, port }, { remoteId }))
    await expect(dial(b.address, 1)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    await expect(dial('10.9.9.9', 7_000)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    await expect(dial(b.address, 7_000, world.host('c').identity.id)).rejects.toMatchObject({ code: 'WRONG_KEY' })
    const controller = new AbortController()
    const before = world.now
    world.scheduler.at(before + 15, () => controller.abort(new Error('changed my mind')))
    await expect(world.settle(village.dial('a', 'b', controller.signal))).rejects.toThrow('changed my mind')
    expect(world.now).toBe(before + 15)
    world.crash('b', { power: true })
    await expect(dial(b.address, 7_000)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(world.now).toBeGreaterThan(before + 15_000)
    world.restart('b')
    await village.world.settle(village.dial('a', 'b'))
  })

  it('waits for the end of a partition', async () => {
    const village = new Village({ seed: 1, conditions: quiet }, ['a', 'b', 'c'])
    village.world.partition(['a'], ['b', 'c'])
    const dialled = village.dial('a', 'b')
    await village.world.run(5_000)
    expect(village.log).toEqual([])
    village.world.heal()
    await village.world.settle(dialled)
    await village.world.run(5_200)
    expect(village.log).toEqual(['a got hello from b'])
  })
})

describe('faults', () => {
  const linked = async (seed = 1): Promise<Village> => {
    const village = new Village({ seed, conditions: quiet }, ['a', 'b'])
    await village.world.settle(village.dial('a', 'b'))
    await village.world.run(1_000)
    expect(village.log.splice(0)).toEqual(['a got hello from b'])
    return village
  }

  it('cut: both ends see an error, and nothing after it', async () => {
    const { world, links, log } = await linked()
    world.cut('a', 'b')
    await world.run(2_000)
    links.get('a-b')!.write(bytes('lost'))
    await world.run(3_000)
    expect(log.sort()).toEqual(['a ended LINK_LOST at 1010', 'b ended LINK_LOST at 1010'])
    expect(world.faults).toBe(1)
    world.cut('a', 'b')
    expect(world.faults).toBe(1)
  })

  it('happen among those hosts only that are named, wherever the most is on its way', async () => {
    const village = new Village({ seed: 1, conditions: quiet }, ['a', 'b', 'c'])
    const { world } = village
    await world.settle(village.dial('a', 'b'))
    await world.settle(village.dial('c', 'a'))
    await world.run(1_000)
    expect(world.busiest(['a', 'b', 'c'])).toBe(undefined)
    village.links.get('b-a')!.write(bytes('a word'))
    village.links.get('c-a')!.write(bytes('a longer word'))
    expect(world.busiest(['a', 'b', 'c'])).toEqual(['c', 'a'])
    expect(world.busiest(['a', 'b'])).toEqual(['b', 'a'])
    expect(world.busiest(['b', 'c'])).toBe(undefined)
  })

  it('half-open: bytes vanish one way or both, and nobody is told', async () => {
    const { world, links, log } = await linked()
    world.halfOpen('a', 'b', true)
    links.get('a-b')!.write(bytes('vanishes'))
    links.get('b-a')!.write(bytes('arrives'))
    await world.run(60_000)
    expect(log).toEqual(['a got arrives'])
    links.get('a-b')!.abort()
    await world.run(120_000)
    expect(log).toEqual(['a got arrives', 'a ended LINK_LOST at 60000'])
    links.get('b-a')!.write(bytes('into the void'))
    await world.run(180_000)
    expect(log.length).toBe(2)
  })

  it('pause: everything waits and then arrives in order', async () => {
    const { world, links, log } = await linked()
    world.pause('a', 'b', 500)
    for (const text of ['one', 'two', 'three']) links.get('a-b')!.write(bytes(text))
    await world.run(1_400)
    expect(log).toEqual([])
    await world.run(2_000)
    expect(log.join(' ').replaceAll('b got ', '').replaceAll(' ', '')).toBe('onetwothree')
  })

  it('crash: timers and links of the process are gone, the other side learns it from the operating system', async () => {
    const village = await linked()
    const { world, links, log } = village
    const { process } = world.host('b')
    let ticks = 0
    const tick = (): void => {
      ticks += 1
      process!.runtime.timers.after(10, tick)
    }
    tick()
    await world.run(1_100)
    expect(ticks).toBeGreaterThan(5)
    const before = ticks
    world.crash('b')
    links.get('b-a')!.write(bytes('from the grave'))
    links.get('a-b')!.write(bytes('to the grave'))
    await world.run(2_000)
    expect(ticks).toBe(before)
    expect(log).toEqual(['a ended LINK_LOST at 1110'])
    world.restart('b')
    expect(world.host('b').process!.epoch).toBe(2)
    await world.settle(village.dial('a', 'b'))
    await world.run(3_000)
    expect(log.at(-1)).toBe('a got hello from b')
  })

  it('power cut: silence until the machine is back, and then a reset', async () => {
    const { world, links, log } = await linked()
    world.crash('b', { power: true })
    links.get('a-b')!.write(bytes('to the dark'))
    await world.run(5_000)
    expect(log).toEqual([])
    world.restart('b')
    links.get('a-b')!.write(bytes('are you there'))
    await world.run(6_000)
    expect(log).toEqual(['a ended LINK_LOST at 5020'])
  })
})

describe('time', () => {
  it('an hour passes in an instant, and a promise that never settles is reported', async () => {
    const world = new World({ seed: 1 })
    await expect(world.settle(new Promise(() => {}), 3_600_000)).rejects.toThrow(/still waiting after 3600000 virtual/)
    expect(world.now).toBe(3_600_000)
  })

  it('runs until a condition holds, and says when it never does', async () => {
    const world = new World({ seed: 1 })
    let count = 0
    world.addHost('a', ({ runtime }) => {
      const tick = (): void => {
        count += 1
        if (count < 10) runtime.timers.after(100, tick)
      }
      tick()
    })
    expect(await world.run(() => count === 5)).toBe(true)
    expect(await world.run(() => count === 50)).toBe(false)
    expect(count).toBe(10)
  })
})
