import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNode, parseUrl, PlaitError } from 'plait'
import type { Circuit, Peer, PlaitNode } from 'plait'
import { afterEach, describe, expect, it } from 'vitest'
import { count, withinMs } from '../counts.ts'
import { startProgram } from '../support/process.ts'
import type { Program } from '../support/process.ts'
import { Proxy } from '../support/proxy.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startFar(...args: string[]): Promise<{ program: Program; address: string }> {
  const program = startProgram(fileURLToPath(new URL('./far.ts', import.meta.url)), args)
  const [, address = ''] = await program.line(/^listening (.+)$/)
  return { program, address }
}

async function openNode(): Promise<PlaitNode> {
  const node = await createNode()
  cleanups.push(() => node.close())
  return node
}

/** Asks the other process what it has counted. */
async function census(circuit: Circuit): Promise<Record<string, number>> {
  circuit.send({})
  const answer = await circuit.read()
  return Object.fromEntries(Object.entries(answer?.args ?? {}).map(([key, value]) => [key, Number(value)]))
}

/** Until what is counted is as expected; fails with the difference after 2 s. */
async function eventually<Value>(look: () => Value | Promise<Value>, expected: Value): Promise<void> {
  const deadline = performance.now() + 2_000
  for (;;) {
    const value = await look()
    if (performance.now() > deadline || JSON.stringify(value) === JSON.stringify(expected)) {
      expect(value).toEqual(expected)
      return
    }
    await sleep(10)
  }
}

/** How a promise ended, and after how long. */
async function outcome(promise: Promise<unknown>): Promise<{ code: string; ms: number }> {
  const begun = performance.now()
  const code = await promise.then(
    () => 'ok',
    (error: unknown) => (PlaitError.is(error) ? error.code : String(error)),
  )
  return { code, ms: performance.now() - begun }
}

describe('C1 accounting', () => {
  /** Sends ten fragments and an error, and reads as many. */
  async function work(circuit: Circuit): Promise<void> {
    for (let part = 0; part < 10; part += 1) circuit.send({ part })
    circuit.send({ error: { code: 5_001, message: 'near' } })
    const parts: number[] = []
    for (let read = 0; read < 10; read += 1) parts.push((await circuit.read())?.part ?? -1)
    expect(parts).toEqual(Array.from({ length: 10 }, (_, part) => part))
    expect((await circuit.errors.read())?.error).toMatchObject({ code: 5_000, message: 'far' })
    expect(circuit.errors.unread).toBe(0)
  }

  it('counts circuits opened from either side, and keeps errors apart from fragments', async () => {
    const { address } = await startFar()
    const node = await openNode()
    const ledger = await node.peer('ledger').open(`${address}/census`)
    const peer = node.peer('hello')
    const incoming = peer.incoming[Symbol.asyncIterator]()
    const live = async (): Promise<number[]> => [peer.circuits.size, (await census(ledger))['live'] ?? -1]

    const first = await peer.open(`${address}/desk`)
    await work(first)
    await eventually(live, [1, 1])
    const second = await first.open()
    await work(second)
    await eventually(live, [2, 2])
    first.send({ subject: 'open back' })
    const { value: third } = (await incoming.next()) as { value: Circuit }
    expect((await third.read())?.subject).toBe('from afar')
    expect(third.remote).toBe(first.remote)
    await work(third)
    await eventually(live, [3, 3])
    expect(await census(ledger)).toMatchObject({ fragments: 30, errors: 3, sessions: 1 })

    await second.close()
    await eventually(live, [2, 2])
    first.send({ subject: 'close' })
    expect(await first.read()).toBe(undefined)
    await eventually(live, [1, 1])
    expect(node.stats()).toMatchObject({
      sessions: { opened: 1, live: 1 },
      fragments: { errorsSent: 3, errorsReceived: 3 },
    })
  })
})

describe('C5 restart', () => {
  it('ends the circuit typed as soon as there is a link, leaves other sessions alone, and lets the new process be opened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plait-circuits-'))
    cleanups.push(() => rm(folder, { recursive: true }))
    const keyFile = join(folder, 'far.key')
    let far = await startFar(keyFile)
    const other = await startFar()
    const { nodeId, addresses } = parseUrl(far.address)
    const [at] = addresses as [{ host: string; port: number }]
    const proxy = await Proxy.open(at)
    const address = `plait://${nodeId}@127.0.0.1:${proxy.port}`
    const node = await openNode()
    const peer = node.peer('hello')
    const bystander = await peer.open(`${other.address}/echo`)
    const ended: string[] = []
    node.addEventListener('sessionend', ({ detail }) => ended.push(`${detail.remoteId} ${detail.error?.code}`))
    const ask = async (circuit: Circuit, part: number): Promise<{ part: number; pid: number }> => {
      circuit.send({ part })
      const answer = await circuit.read()
      return { part: answer?.part ?? -1, pid: answer?.op ?? -1 }
    }
    const rounds = count(50, 2)
    for (let round = 0; round < rounds; round += 1) {
      const circuit = await peer.open(`${address}/echo`)
      expect(await ask(circuit, 1)).toEqual({ part: 1, pid: far.program.pid })
      circuit.send({ part: 99, payload: new Uint8Array(1_000_000) })
      await far.program.kill('SIGKILL')
      circuit.send({ part: 98 })
      const unanswered = outcome(circuit.read())
      far = await startFar(keyFile, String(at.port))
      const { error } = await circuit.closed
      // The link on which both have met is the last that was dialled.
      expect(performance.now() - proxy.takenAt).toBeLessThan(withinMs(2_000))
      expect([error?.code, (await unanswered).code]).toEqual(['PEER_RESTARTED', 'PEER_RESTARTED'])
      const again = await peer.open(`${address}/echo`, { part: 7 })
      const answer = await again.read()
      expect([answer?.part, answer?.op]).toEqual([7, far.program.pid])
      await again.close()
      // What was under way, or waited, on the old circuit never reaches the new process: it has the 7, and this question.
      const ledger = await peer.open(`${address}/census`)
      expect(await census(ledger)).toMatchObject({ received: 2, sessions: 1 })
      await ledger.close()
    }
    expect(ended).toEqual(Array.from({ length: rounds }, () => `${nodeId} PEER_RESTARTED`))
    expect(await ask(bystander, 3)).toEqual({ part: 3, pid: other.program.pid })
    expect(node.stats().sessions).toMatchObject({ opened: rounds + 2, live: 2 })
  }, 600_000)
})

describe('C6 remote start', () => {
  async function pair(): Promise<{ node: PlaitNode; peer: Peer; address: string; ledger: Circuit }> {
    const { address } = await startFar()
    const node = await openNode()
    const peer = node.peer('hello')
    const ledger = await peer.open(`${address}/census`)
    return { node, peer, address, ledger }
  }

  it('either side starts the service of the other, and the first fragment comes once', async () => {
    const { node, peer, address } = await pair()
    const url = await node.startRemote(address, 'echo')
    expect(url.startsWith(`${address}/echo/`)).toBe(true)
    const circuit = await peer.open(url, { part: 41 })
    circuit.send({ part: 42 })
    expect([(await circuit.read())?.part, (await circuit.read())?.part]).toEqual([41, 42])

    let runs = 0
    node.register('mine', { open: 'anyone', start: 'anyone' }, async (mine) => {
      runs += 1
      for await (const taken of mine.incoming) {
        const subjects: string[] = []
        const first = await taken.read()
        subjects.push(first?.subject ?? '')
        taken.send({ subject: `${subjects.join()} ${mine.id.length}` })
        expect(await taken.read()).toBe(undefined)
      }
    })
    const errand = await peer.open(`${address}/errand`)
    errand.send({ args: { address: `plait://${node.id}`, service: 'mine' } })
    const answer = await errand.read()
    expect(answer?.subject).toBe('first 26')
    expect(answer?.args['url']?.startsWith(`plait://${node.id}/mine/`)).toBe(true)
    expect(runs).toBe(1)
  })

  it('tells an unknown name, a refusal and silence apart, in time, and leaks nothing', async () => {
    const { node, peer, address, ledger } = await pair()
    const before = await census(ledger)
    for (let round = 0; round < count(500, 10); round += 1) {
      const unknown = await outcome(node.startRemote(address, 'nobody'))
      const forbidden = await outcome(peer.open(`${address}/private`, { part: 1 }))
      expect([unknown.code, forbidden.code]).toEqual(['UNKNOWN_SERVICE', 'FORBIDDEN'])
      expect(Math.max(unknown.ms, forbidden.ms)).toBeLessThan(withinMs(1_000))
    }
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    cleanups.push(() => silent.close())
    const { port } = silent.address() as AddressInfo
    const stranger = await createNode()
    await stranger.close()
    const lost = await outcome(peer.open(`plait://${stranger.id}@127.0.0.1:${port}/echo`, {}, { timeoutMs: 1_500 }))
    expect(lost.code).toBe('UNREACHABLE')
    expect(lost.ms).toBeGreaterThan(1_490)
    expect(lost.ms).toBeLessThan(7_500)
    const closed = await outcome(peer.open(`plait://${stranger.id}@127.0.0.1:1/echo`, {}, { timeoutMs: 500 }))
    expect(closed).toMatchObject({ code: 'UNREACHABLE' })
    // The question itself is one fragment more.
    expect(await census(ledger)).toEqual({ ...before, received: Number(before['received']) + 1 })
    expect(node.stats()).toMatchObject({ sessions: { opened: 1, live: 1 }, circuits: { live: 1 } })
    expect(node.snapshot()).toMatchObject({ peers: [{ name: 'hello', circuits: 1, waiting: 0 }] })
  })
})
