import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNode, parseUrl, PlaitError } from 'plait'
import type { Circuit, NodeEventName, NodeOptions, PlaitNode } from 'plait'
import { afterEach, describe, expect, it } from 'vitest'
import { count, fullCounts, withinMs } from '../counts.ts'
import { startProgram } from '../support/process.ts'
import type { Program } from '../support/process.ts'
import { Proxy } from '../support/proxy.ts'

const nodes: PlaitNode[] = []
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()))
})

interface Far {
  readonly program: Program
  /** Straight to it. */
  readonly address: string
  readonly proxy: Proxy
  /** Through the proxy. */
  readonly proxied: string
}

async function startFar(options: NodeOptions = {}, delayMs = 0): Promise<Far> {
  const program = startProgram(fileURLToPath(new URL('./far.ts', import.meta.url)), [JSON.stringify(options)])
  const [, address = ''] = await program.line(/^listening (.+)$/)
  const { nodeId, addresses } = parseUrl(address)
  const proxy = await Proxy.open(addresses[0]!, { delayMs })
  return { program, address, proxy, proxied: `plait://${nodeId}@127.0.0.1:${proxy.port}` }
}

/** Facts of the first line that a program has printed with this word. */
async function said(program: Program, pattern: RegExp, timeoutMs = 30_000): Promise<Record<string, unknown>> {
  const [, json = ''] = await program.line(pattern, { timeoutMs })
  return JSON.parse(json) as Record<string, unknown>
}

interface Sighting {
  readonly name: NodeEventName
  readonly ms: number
}

/** A node of this process, and what has happened to its session with the other one. */
async function openNear(options: NodeOptions, { program, address }: Far): Promise<Near> {
  const node = await createNode(options)
  nodes.push(node)
  const { nodeId } = parseUrl(address)
  return new Near(node, nodeId, program)
}

class Near {
  readonly node: PlaitNode
  readonly seen: Sighting[] = []
  readonly #program: Program
  #wake = (): void => {}

  constructor(node: PlaitNode, farId: string, program: Program) {
    this.node = node
    this.#program = program
    for (const name of ['suspect', 'recovered', 'lost', 'resumed', 'sessionend'] satisfies NodeEventName[]) {
      node.addEventListener(name, (event) => {
        if (event.detail.remoteId !== farId) return
        this.seen.push({ name, ms: performance.now() })
        this.#wake()
      })
    }
  }

  get names(): readonly string[] {
    return this.seen.map((sighting) => sighting.name)
  }

  /** When it was seen here; waits for it. */
  async sees(name: NodeEventName): Promise<number> {
    const deadline = performance.now() + 30_000
    for (;;) {
      const sighting = this.seen.find((each) => each.name === name)
      if (sighting !== undefined) return sighting.ms
      if (performance.now() > deadline) throw new Error(`waited for ${name}; seen: ${this.names.join()}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, 100)
      })
    }
  }

  /** The names of what the other end has said of this node. */
  get farNames(): readonly string[] {
    return [...this.#program.stdout.matchAll(/^event (.+)$/gm)].flatMap(([, json]) => {
      const { name, remoteId } = JSON.parse(json!) as { name: string; remoteId: string }
      return remoteId === this.node.id ? [name] : []
    })
  }
}

/** Sends the number and takes it back. */
async function ask(circuit: Circuit, part: number): Promise<number> {
  circuit.send({ part })
  return (await circuit.read())?.part ?? -1
}

async function openLog(near: Near, address: string, name: string): Promise<Circuit> {
  const circuit = await near.node.peer('near').open(`${address}/log`, { subject: name })
  await circuit.read()
  return circuit
}

/** What the other end has noted under this name, and how many of its circuits live beside the one that asks. */
async function farLog(near: Near, address: string, name: string): Promise<{ log: number[]; live: number }> {
  await using circuit = await near.node.peer('asks').open(`${address}/logs`)
  const answer = await circuit.read()
  const text = answer?.args[name] ?? ''
  return { log: text === '' ? [] : text.split(',').map(Number), live: (answer?.part ?? 0) - 1 }
}

function codeOf(error: unknown): string {
  return PlaitError.is(error) ? error.code : String(error)
}

describe('C4 link loss', () => {
  it('every 200 ms loses, doubles and reorders nothing, both ways, on one circuit', async () => {
    const total = count(10_000, 2_000)
    const far = await startFar({}, 2)
    const file = fileURLToPath(new URL('./near.ts', import.meta.url))
    const near = startProgram(file, [far.proxied, String(total), String(total)])
    await near.line(/^open$/)
    let cuts = 0
    for (const end = performance.now() + total; performance.now() < end; cuts += 1) {
      await sleep(200)
      far.proxy.cut(cuts % 2 === 0 ? 'reset' : 'close')
    }
    const [atNear, atFar] = [await said(near, /^numbers (.+)$/), await said(far.program, /^numbers (.+)$/)]
    for (const end of [atNear, atFar]) {
      expect(end).toMatchObject({ received: total, inOrder: true, damaged: 0, opened: 1 })
      expect(end['circuit']).toBe(atNear['circuit'])
      // Nearly every cut met a link that worked.
      expect(end['resumes']).toBeGreaterThan(cuts / 2)
    }
    expect(atNear['circuits']).toBe(1)
    expect(far.proxy.taken).toBeGreaterThanOrEqual(1 + Number(atNear['resumes']))
  }, 300_000)

  for (const [how, strike] of [
    ['a cut', (proxy: Proxy) => proxy.down('reset')],
    ['silence', (proxy: Proxy) => proxy.blackhole('up', 'down')],
  ] as const) {
    it(`by ${how} beyond the window ends the circuits typed, at each end by its own`, async () => {
      const [nearMs, farMs] = fullCounts ? [3_000, 6_000] : [600, 1_500]
      const limits = { heartbeatMs: 250 }
      const far = await startFar({ resumeMs: farMs, limits })
      const near = await openNear({ resumeMs: nearMs, limits }, far)
      const circuit = await openLog(near, far.proxied, 'a')
      expect(await ask(circuit, 1)).toBe(1)
      const reading = circuit.read().catch(codeOf)
      strike(far.proxy)
      const { error } = await circuit.closed
      const nearEnd = performance.now() - (await near.sees('lost')) - nearMs
      expect([error?.code, await reading]).toEqual(['LINK_LOST', 'LINK_LOST'])
      const lost = await said(far.program, /^event (\{"name":"lost".+)$/)
      const closed = await said(far.program, /^closed (\{"name":"log".+)$/)
      expect(closed['code']).toBe('LINK_LOST')
      for (const lateMs of [nearEnd, Number(closed['ms']) - Number(lost['ms']) - farMs]) {
        expect(lateMs).toBeGreaterThan(-25)
        expect(lateMs).toBeLessThan(withinMs(1_000))
      }
      expect(near.node.stats()).toMatchObject({ sessions: { live: 0 }, circuits: { live: 0 } })
      far.proxy.up()
      far.proxy.heal()
      expect(await farLog(near, far.proxied, 'a')).toEqual({ log: [1], live: 0 })
    })
  }
})

describe('C9 half-open', () => {
  /** The full counts have the beats that everybody has. */
  const heartbeatMs = fullCounts ? 1_000 : 400
  const limits = { heartbeatMs }

  /** What is sent while nobody answers, and taken back later, if ever. */
  function askAll(circuit: Circuit, parts: readonly number[]): Promise<readonly (number | string)[]> {
    for (const part of parts) circuit.send({ part })
    return Promise.all(parts.map(() => circuit.read().then((answer) => answer?.part ?? -1, codeOf)))
  }

  it('a stopped process is suspect after two beats, lost after three, its circuits end, and it wakes to a clean state', async () => {
    const resumeMs = 2_000
    const far = await startFar({ resumeMs, limits })
    const near = await openNear({ resumeMs, limits }, far)
    const other = await startFar()
    const bystander = await openLog(near, other.address, 'bystander')
    const circuit = await openLog(near, far.proxied, 'old')
    expect(await ask(circuit, 1)).toBe(1)
    await sleep(2 * heartbeatMs)
    const stoppedAt = performance.now()
    far.program.signal('SIGSTOP')
    const answers = await askAll(circuit, [2, 3])
    const endedMs = performance.now()
    expect(answers).toEqual(['LINK_LOST', 'LINK_LOST'])
    const [suspectMs, lostMs] = [await near.sees('suspect'), await near.sees('lost')]
    const late = withinMs(Math.max(500, heartbeatMs))
    expect(suspectMs - stoppedAt).toBeGreaterThan(1.5 * heartbeatMs)
    expect(suspectMs - stoppedAt).toBeLessThan(3 * heartbeatMs + late)
    expect(lostMs - suspectMs).toBeGreaterThan(0.5 * heartbeatMs)
    expect(lostMs - suspectMs).toBeLessThan(heartbeatMs + late)
    expect(endedMs - lostMs).toBeGreaterThan(resumeMs - 25)
    expect(endedMs - lostMs).toBeLessThan(resumeMs + withinMs(1_000))
    far.program.signal('SIGCONT')
    const again = await openLog(near, far.proxied, 'new')
    expect(await ask(again, 4)).toBe(4)
    // What was on its way to the old circuit may have been taken or not, but never twice, and never by the new one.
    const old = await farLog(near, far.proxied, 'old')
    expect([[1], [1, 2], [1, 2, 3]]).toContainEqual(old.log)
    expect(old.live).toBe(1)
    expect((await farLog(near, far.proxied, 'new')).log).toEqual([4])
    expect(near.names).toEqual(['suspect', 'lost', 'sessionend'])
    expect(await ask(bystander, 5)).toBe(5)
    expect(near.node.stats().sessions).toMatchObject({ opened: 3, live: 2 })
  })

  it('a process that wakes before it is lost has recovered, and before its window ends is resumed; nothing comes twice', async () => {
    const far = await startFar({ limits })
    const near = await openNear({ limits }, far)
    const circuit = await openLog(near, far.proxied, 'a')
    expect(await ask(circuit, 1)).toBe(1)
    far.program.signal('SIGSTOP')
    const first = askAll(circuit, [2, 3])
    await near.sees('suspect')
    far.program.signal('SIGCONT')
    expect(await first).toEqual([2, 3])
    expect(near.names).toEqual(['suspect', 'recovered'])
    near.seen.length = 0
    far.program.signal('SIGSTOP')
    const second = askAll(circuit, [4, 5])
    await near.sees('lost')
    circuit.send({ part: 6 })
    far.program.signal('SIGCONT')
    expect(await second).toEqual([4, 5])
    expect((await circuit.read())?.part).toBe(6)
    expect(near.names).toEqual(['suspect', 'lost', 'resumed'])
    expect(await farLog(near, far.proxied, 'a')).toEqual({ log: [1, 2, 3, 4, 5, 6], live: 1 })
    expect(near.node.stats().sessions).toMatchObject({ opened: 1, live: 1 })
  })

  for (const directions of [['up', 'down'], ['up'], ['down']] as const) {
    it(`packets that vanish (${directions.join(' and ')}) are noticed at both ends, and all arrives once when they come again`, async () => {
      const far = await startFar({ limits })
      const near = await openNear({ limits }, far)
      const circuit = await openLog(near, far.proxied, 'a')
      expect(await ask(circuit, 1)).toBe(1)
      far.proxy.blackhole(...directions)
      const begun = performance.now()
      const answers = askAll(circuit, [2, 3])
      expect((await near.sees('lost')) - begun).toBeLessThan(4 * heartbeatMs + withinMs(Math.max(500, heartbeatMs)))
      const lost = await said(far.program, /^event (\{"name":"lost".+)$/)
      expect(lost['remoteId']).toBe(near.node.id)
      circuit.send({ part: 4 })
      far.proxy.heal()
      expect(await answers).toEqual([2, 3])
      expect((await circuit.read())?.part).toBe(4)
      expect(await farLog(near, far.proxied, 'a')).toEqual({ log: [1, 2, 3, 4], live: 1 })
      expect(near.names.at(-1)).toBe('resumed')
      expect(near.farNames.at(-1)).toBe('resumed')
      expect(near.node.stats().sessions).toMatchObject({ opened: 1, live: 1 })
    })
  }

  it('does not take idle sessions for dead ones', async () => {
    const idleLimits = fullCounts ? {} : { idleHeartbeatMs: 300 }
    const far = await startFar({ limits: idleLimits })
    const near = await openNear({ limits: idleLimits }, far)
    await (await openLog(near, far.proxied, 'a')).close()
    await sleep(fullCounts ? 61_000 : 2_000)
    expect([near.names, near.farNames]).toEqual([[], []])
    const circuit = await openLog(near, far.proxied, 'b')
    expect(await ask(circuit, 2)).toBe(2)
    expect([near.node.stats().sessions.opened, far.proxy.taken]).toEqual([1, 1])
  }, 300_000)
})
