import { createHash } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNode } from 'plait'
import type { Circuit, Peer, PlaitNode } from 'plait'
import { afterEach, describe, expect, it } from 'vitest'
import { count, fullCounts, withinMs } from '../counts.ts'
import { startProgram } from '../support/process.ts'
import type { Program } from '../support/process.ts'

const KiB = 1024
const MiB = 1024 * KiB

interface Pair {
  readonly far: Program
  readonly node: PlaitNode
  readonly peer: Peer
  readonly address: string
}

/** The scenario says 100 ms; with the other tests' processes on two cores, a stall may be another process's turn. */
const stallMs = withinMs(100)

const nodes: PlaitNode[] = []

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close()
})

async function pair(): Promise<Pair> {
  const far = startProgram(fileURLToPath(new URL('./far.ts', import.meta.url)), [], { nodeArgs: ['--expose-gc'] })
  const [, address] = await far.line(/^listening (.+)$/)
  const node = await createNode({})
  nodes.push(node)
  return { far, node, peer: node.peer('test'), address: address as string }
}

async function ask(circuit: Circuit, subject = ''): Promise<Record<string, number>> {
  circuit.send({ subject })
  const answer = await circuit.read()
  return Object.fromEntries(Object.entries(answer?.args ?? {}).map(([key, value]) => [key, Number(value)]))
}

function percentile(samples: readonly number[], share: number): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length * share)] as number
}

/** Sends one fragment at a time and waits for its echo; returns round trips in ms. */
async function ping(circuit: Circuit, samples: number, pauseMs = 0): Promise<number[]> {
  const roundTrips: number[] = []
  for (let part = 1; part <= samples; part += 1) {
    const begun = performance.now()
    circuit.send({ part })
    expect((await circuit.read())?.part).toBe(part)
    roundTrips.push(performance.now() - begun)
    if (pauseMs > 0) await sleep(pauseMs)
  }
  return roundTrips
}

describe('C2 slow reader', () => {
  it('stalls only the circuit that is not read, and loses nothing', async () => {
    const { peer, address } = await pair()
    const idleMs = fullCounts ? 10_000 : 2_000
    const slow = await peer.open(`${address}/late`, { args: { idleMs: String(idleMs) } })
    const report = await peer.open(`${address}/report`)
    const echo = await peer.open(`${address}/echo`)
    const payload = new Uint8Array(KiB)
    for (let part = 0; part < 10_000; part += 1) slow.send({ part, payload })
    const begun = performance.now()
    const sentAt: number[] = []
    const roundTrips: number[] = []
    echo.receive(({ part }) => {
      roundTrips.push(performance.now() - (sentAt[part] as number))
    })
    for (let part = 0; part < 1_000; part += 1) {
      sentAt[part] = performance.now()
      echo.send({ part, payload })
      if (part % 20 === 19) await sleep(1)
    }
    while (roundTrips.length < 1_000) await sleep(1)
    expect(performance.now() - begun).toBeLessThan(withinMs(1_000))
    expect(percentile(roundTrips, 0.99)).toBeLessThan(withinMs(50))
    expect(slow.bufferedBytes).toBeGreaterThan(9 * MiB)
    const { unread } = await ask(report)
    expect(unread).toBeGreaterThan(200 * KiB)
    expect(unread).toBeLessThanOrEqual(256 * KiB)
    slow.end()
    const answer = await slow.read()
    expect(answer?.args).toEqual({ count: '10000', inOrder: 'true' })
  })
})

describe('C3 ordered close', () => {
  it('delivers all that was sent before it, to a reader who comes late, and its reason to both ends', async () => {
    const { far, node, peer, address } = await pair()
    const circuit = await peer.open(`${address}/late`, { args: { idleMs: fullCounts ? '3000' : '800' } })
    for (let part = 0; part < 5_000; part += 1) circuit.send({ part, payload: new Uint8Array(100) })
    const closing = circuit.close({ code: 28, message: 'disk full' })
    const [, said] = await far.line(/^(\{"late".*\})$/)
    expect(JSON.parse(said as string)).toEqual({
      late: { count: 5_000, inOrder: true, code: 28, message: 'disk full' },
    })
    await closing
    expect(await circuit.closed).toEqual({ code: 28, message: 'disk full' })
    await circuit.close()
    expect(node.stats().circuits.live).toBe(0)
    const report = await peer.open(`${address}/report`)
    expect((await ask(report))['circuits']).toBe(1)
  })

  it('leaves the other direction usable after end()', async () => {
    const { peer, address } = await pair()
    const circuit = await peer.open(`${address}/source`, { part: 10 * MiB })
    circuit.end()
    let bytes = 0
    for await (const { payload } of circuit) bytes += payload.length
    expect(bytes).toBe(10 * MiB)
  })
})

describe('C7 duplex flood', () => {
  it('carries both floods and a hundred short circuits, without a stall and without piling up memory', async () => {
    const { peer, address } = await pair()
    const bytes = count(100 * MiB, 24 * MiB)
    const report = await peer.open(`${address}/report`)
    const before = await ask(report, 'gc')
    const own = monitorEventLoopDelay({ resolution: 5 })
    own.enable()
    const ownBefore = process.memoryUsage.rss()
    const payload = new Uint8Array(64 * KiB).fill(7)
    const each = bytes / 4
    const upward = [0, 1, 2, 3].map(async () => {
      const circuit = await peer.open(`${address}/sink`)
      for (let sent = 0; sent < each; sent += payload.length) {
        const last = sent + payload.length >= each
        if (!circuit.send({ payload, subject: last ? 'last' : '' })) await circuit.ready()
      }
      expect((await circuit.read())?.part).toBe(Math.ceil(each / payload.length) * payload.length)
      await circuit.close()
    })
    const downward = [0, 1, 2, 3].map(async () => {
      const circuit = await peer.open(`${address}/source`, { part: each })
      let received = 0
      for await (const fragment of circuit) received += fragment.payload.length
      expect(received).toBe(Math.ceil(each / payload.length) * payload.length)
      await circuit.close()
    })
    const others = Array.from({ length: 100 }, async (_, part) => {
      const circuit = await peer.open(`${address}/echo`, { part })
      expect((await circuit.read())?.part).toBe(part)
      await circuit.close()
    })
    await Promise.all([...upward, ...downward, ...others])
    const after = await ask(report)
    expect(own.max / 1e6).toBeLessThan(stallMs)
    expect(after['stallMs']).toBeLessThan(stallMs)
    expect((after['rss'] as number) - (before['rss'] as number)).toBeLessThan(150 * MiB)
    expect(process.memoryUsage.rss() - ownBefore).toBeLessThan(150 * MiB)
  })
})

describe('C13 large fragments', () => {
  it('of many circuits at once arrive whole, within the account, and small ones go between', async () => {
    const { peer, address } = await pair()
    const circuits = count(100, 12)
    const payload = new Uint8Array(16 * MiB)
    for (let index = 0; index < payload.length; index += 1) payload[index] = ((index * 31) >> 9) % 256
    const echo = await peer.open(`${address}/echo`)
    const report = await peer.open(`${address}/report`)
    const calmMs = percentile(await ping(echo, 300, 2), 0.99)
    let done = false
    let accountPeak = 0
    const watching = (async () => {
      while (!done) {
        accountPeak = Math.max(accountPeak, (await ask(report))['account'] as number)
        await sleep(20)
      }
    })()
    const roundTrips: number[] = []
    const pinging = (async () => {
      while (!done) roundTrips.push(...(await ping(echo, 5, 2)))
    })()
    const answers = await Promise.all(
      Array.from({ length: circuits }, async () => {
        const circuit = await peer.open(`${address}/pattern`)
        circuit.send({ payload })
        return (await circuit.read())?.part
      }),
    )
    done = true
    await Promise.all([watching, pinging])
    expect(new Set(answers)).toEqual(new Set([16 * MiB]))
    expect(accountPeak).toBeLessThanOrEqual(64 * MiB)
    expect(accountPeak).toBeGreaterThan(0)
    // 50 ms on a machine that has nothing else to do; what others take from it shows in the calm round trips.
    expect(percentile(roundTrips, 0.99)).toBeLessThan(Math.max(withinMs(50), 10 * calmMs))
  })
})

describe('C14 ownership', () => {
  it('of a copied payload stays with the caller, who may write over it at once', async () => {
    const { peer, address } = await pair()
    const circuit = await peer.open(`${address}/hash`)
    for (const bytes of [10, 5_000, 50_000, 2 * MiB]) {
      const payload = new Uint8Array(bytes).fill(1)
      const expected = createHash('sha256').update(payload).digest('hex')
      circuit.send({ payload }, { copy: true })
      payload.fill(2)
      expect((await circuit.read())?.subject).toBe(expected)
    }
  })
})

describe('X4 names that are properties of every object', () => {
  it('are plain values wherever they stand', async () => {
    const { node, peer, address } = await pair()
    const echo = await peer.open(`${address}/echo`)
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      node.register(name, { open: 'anyone' }, async () => {})
      const args = Object.fromEntries([[name, name]])
      echo.send({ subject: name, args })
      const answer = await echo.read()
      expect(answer?.subject).toBe(name)
      expect(Object.entries(answer?.args ?? {})).toEqual([[name, name]])
      await expect(peer.open(`${address}/${name}`)).rejects.toMatchObject({ code: 'UNKNOWN_SERVICE' })
      await expect(peer.open(`${address}/echo/${name}`)).rejects.toMatchObject({ code: 'UNKNOWN_PEER' })
    }
  })
})
