import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { createIdentity, createNode, formatUrl, parseUrl, PlaitError } from 'plait'
import type { LinkAddress, NodeOptions, PlaitNode } from 'plait'
import { afterEach, describe, expect, it } from 'vitest'
import { withinMs } from '../counts.ts'
import { encodeResume } from '../../src/session/resumption.ts'
import { frameTypes } from '../../src/wire/frame.ts'
import { makeForeign } from '../hostile/foreign.ts'
import { frame, identityThat, Stranger } from '../hostile/stranger.ts'

const foreign = JSON.parse(
  readFileSync(new URL('../../test/fixtures/foreign-certificates.json', import.meta.url), 'utf8'),
) as Record<string, { readonly key: string; readonly certificate: string }>

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A listening node that notes whatever reaches its service. */
async function open(options: NodeOptions = {}): Promise<{ node: PlaitNode; at: LinkAddress; taken: string[] }> {
  const node = await createNode({ listen: ['tcp://127.0.0.1:0'], ...options })
  cleanups.push(() => node.close())
  const taken: string[] = []
  node.register('echo', { open: 'anyone', start: 'anyone' }, async (peer) => {
    for await (const circuit of peer.incoming) {
      taken.push(circuit.remote)
      const first = await circuit.read()
      circuit.send({ part: first?.part ?? -1 })
    }
  })
  const [at] = parseUrl(node.addresses[0] as string).addresses
  return { node, at: at as LinkAddress, taken }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'ok',
    (error: unknown) => (PlaitError.is(error) ? error.code : String(error)),
  )
}

/** An honest circuit, and how long it took. */
async function honest(to: PlaitNode): Promise<number> {
  const node = await createNode()
  const begun = performance.now()
  const circuit = await node.peer('x').open(`${to.addresses[0]}/echo`, { part: 5 })
  expect((await circuit.read())?.part).toBe(5)
  const ms = performance.now() - begun
  await node.close()
  return ms
}

/** Until the node has opened so many sessions in all. */
async function opens(node: PlaitNode, count: number): Promise<void> {
  const signal = AbortSignal.timeout(5_000)
  while (node.stats().sessions.opened < count) await once(node, 'session', { signal })
  expect(node.stats().sessions.opened).toBe(count)
}

/** When the other side had closed, in ms after the call. */
async function whenClosed(socket: Socket): Promise<number> {
  const begun = performance.now()
  socket.resume().on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  return performance.now() - begun
}

function tls(at: LinkAddress, options: ConnectionOptions): TLSSocket {
  return connectTls({ ...at, rejectUnauthorized: false, ALPNProtocols: ['plait/1'], ...options })
}

describe('C10 identity', () => {
  it('is the key: at the right address another one ends the dial, and so does dialling oneself', async () => {
    const { node, at, taken } = await open()
    const expected = createIdentity()
    const other = await open()
    const url = formatUrl({ nodeId: expected.id, addresses: [at], service: 'echo' })
    const begun = performance.now()
    expect(await codeOf(other.node.peer('x').open(url, { part: 1 }))).toBe('WRONG_KEY')
    expect(await codeOf(node.peer('x').open(`${node.addresses[0]}/echo`))).toBe('SELF_DIAL')
    expect(performance.now() - begun).toBeLessThan(withinMs(2_500))
    // The same key elsewhere, too: a copied key file cannot talk to its original.
    const twin = createIdentity()
    const first = await open({ identity: twin })
    const second = await open({ identity: twin })
    expect(await codeOf(second.node.peer('x').open(`${first.node.addresses[0]}/echo`))).toBe('SELF_DIAL')
    expect([node.stats().sessions.opened, taken]).toEqual([0, []])
  })

  it('cannot be had by plaintext, by foreign certificates, without one, or by a greeting that is replayed', async () => {
    const { node, at, taken } = await open()
    const plain = connectTcp({ ...at }, () => plain.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    expect(await whenClosed(plain)).toBeLessThan(withinMs(5_000))
    expect(await whenClosed(tls(at, {}))).toBeLessThan(withinMs(5_000))
    const refused = ['rsa', 'ecdsa', 'ed448', 'signedByAuthority', 'signedByRsaAuthority']
    for (const name of refused) {
      const { key, certificate } = foreign[name]!
      expect(await whenClosed(tls(at, { key, cert: certificate })), name).toBeLessThan(withinMs(2_500))
    }
    const identity = createIdentity()
    const { key, certificate: cert } = identity.tls()
    const heard: Uint8Array[] = []
    const recorder = tls(at, { key, cert })
    recorder.on('data', (bytes: Uint8Array) => heard.push(bytes)).on('error', () => {})
    while (heard.length === 0) await sleep(5)
    recorder.destroy()
    // What one channel has carried says nothing in another: its own HELLO comes back to the node, READY is not to be had.
    const replay = tls(at, { key, cert })
    replay.write(Buffer.concat(heard))
    const gone = whenClosed(replay)
    replay.write(Buffer.alloc(64, 7))
    expect(await gone).toBeLessThan(withinMs(5_000))
    expect([node.stats().sessions.opened, taken]).toEqual([0, []])
    expect(node.stats().sessions.refused).toBe(3 + refused.length)
    expect(await honest(node)).toBeLessThan(withinMs(5_000))
  })

  // The pre-shared key has its case here: a dialler that has another one, or none, is refused with WRONG_NETWORK.

  it('cannot be had by a ticket, resumed or stolen: only the key of the full handshake counts', async () => {
    const { node, at, taken } = await open()
    const { key, certificate: cert } = createIdentity().tls()
    const tickets: NonNullable<ReturnType<TLSSocket['getSession']>>[] = []
    const first = tls(at, { key, cert })
    first.on('session', (ticket) => tickets.push(ticket)).on('error', () => {})
    await once(first, 'data')
    tickets.push(first.getSession()!)
    // A ticket that a node has never given out, but a server with the same certificate may have.
    const other = createTlsServer({ key, cert, ALPNProtocols: ['plait/1'] }, (socket) => socket.end('x'))
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    cleanups.push(() => other.close())
    const second = tls({ host: '127.0.0.1', port: (other.address() as AddressInfo).port }, {})
    const [foreignTicket] = (await once(
      second.on('error', () => {}),
      'session',
    )) as typeof tickets
    tickets.push(foreignTicket!)
    for (const [index, session] of tickets.entries()) {
      const thief = tls(at, { session })
      expect(await whenClosed(thief)).toBeLessThan(withinMs(2_500))
      expect(thief.isSessionReused()).not.toBe(true)
      const owner = await Stranger.greet(node.addresses[0]!, { session })
      expect(owner.socket.isSessionReused()).toBe(false)
      await opens(node, index + 1)
      owner.leave()
    }
    expect(node.stats().sessions.refused).toBe(tickets.length)
    expect(taken).toEqual([])
  })

  it('cannot be had by what was said on another channel: READY and RESUME are refused typed', async () => {
    const { node } = await open()
    const [address] = node.addresses as [string]
    // The node chairs, so that the stranger may say RESUME at any time.
    const identity = identityThat(false, node.id)
    const sessionsOf = (id: string) => node.snapshot().sessions.filter(({ remoteId }) => remoteId === id)
    const owner = await Stranger.greet(address, { identity })
    const { epoch } = owner
    const recorded = [owner.hello(), owner.ready()]
    const own = { identity, epoch }
    await opens(node, 1)

    const replayed = await Stranger.connect(address, own)
    replayed.send(...recorded)
    await replayed.closed
    expect(replayed.goodbye?.code).toBe('WRONG_KEY')

    const remoteEpoch = owner.remoteEpoch!
    const claim = { sessionId: owner.binding.slice(0, 16), epoch, remoteEpoch, receivedFrames: 0 }
    const lost = once(node, 'lost')
    owner.leave()
    await lost
    const resume = (proof: Uint8Array): Uint8Array => frame(frameTypes.RESUME, 0, encodeResume({ proof, ...claim }))
    const stale = await Stranger.connect(address, own)
    stale.send(stale.hello(), resume(recorded[1]!.slice(8)))
    await stale.closed
    expect(stale.goodbye?.code).toBe('WRONG_KEY')

    // Another key, on its own channel, and as its node would: the session of somebody else is not to be had.
    for (const chairs of [true, false]) {
      const thief = await Stranger.connect(address, { identity: identityThat(chairs, node.id), epoch })
      thief.send(thief.hello(), resume(thief.proof))
      await Promise.race([thief.closed, thief.hears(frameTypes.READY)])
      expect(thief.counts.get(frameTypes.RESUME)).toBe(undefined)
      thief.leave()
    }
    expect(node.stats().sessions.opened).toBe(1)
    expect(sessionsOf(identity.id)).toMatchObject([{ state: 'lost', resumes: 0 }])

    // Its owner gets it back, after all of that.
    const back = await Stranger.connect(address, own)
    back.send(back.hello(), resume(back.proof))
    await back.hears(frameTypes.RESUME)
    expect(sessionsOf(identity.id)).toMatchObject([{ state: 'ready', resumes: 1 }])
    back.leave()
  })

  it('cannot be had by certificates of an authority made here and now, with their chain, at either end', async (context) => {
    const made = await makeForeign()
    if (typeof made === 'string') {
      context.skip(made)
      return
    }
    const { node, at, taken } = await open()
    for (const { name, key, cert } of made) {
      expect(await whenClosed(tls(at, { key, cert })), name).toBeLessThan(withinMs(2_500))
      const server = createTlsServer({
        key,
        cert,
        ALPNProtocols: ['plait/1'],
        requestCert: true,
        rejectUnauthorized: false,
      })
      let appBytes = 0
      server.on('secureConnection', (socket) => {
        socket.on('data', (bytes: Uint8Array) => (appBytes += bytes.length)).on('error', () => {})
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      cleanups.push(() => server.close())
      const addresses = [{ host: '127.0.0.1', port: (server.address() as AddressInfo).port }]
      const url = formatUrl({ nodeId: createIdentity().id, addresses, service: 'echo' })
      expect(await codeOf(node.peer('x').open(url, { part: 1 })), name).toBe('WRONG_KEY')
      expect(appBytes, name).toBe(0)
    }
    expect(node.stats().sessions).toMatchObject({ opened: 0, refused: made.length })
    expect(taken).toEqual([])
    expect(await honest(node)).toBeLessThan(withinMs(5_000))
  })
})
