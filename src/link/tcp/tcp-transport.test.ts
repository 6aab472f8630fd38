import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import {
  connect as connectTls,
  createServer as createTlsServer,
  type ConnectionOptions,
  type TLSSocket,
} from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits, type Limits } from '../../base/limits.ts'
import { makeCertificate } from '../../identity/certificate.ts'
import { createIdentity, type Identity, type TlsCredentials } from '../../identity/identity.ts'
import { nodeIdFromPublicKey } from '../../identity/node-id.ts'
import { systemClock } from '../../runtime/system/clock.ts'
import { systemTimers } from '../../runtime/system/timers.ts'
import type { Link, LinkAddress, Listener } from '../link.ts'
import { applicationProtocol } from './credentials.ts'
import { proveRemote } from './remote-proof.ts'
import { readInto } from './static-read.ts'
import { tcpTransport } from './tcp-transport.ts'

const foreign = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/foreign-certificates.json', import.meta.url), 'utf8'),
) as Record<string, TlsCredentials>
const runtime = { timers: systemTimers }
const server = createIdentity()
const client = createIdentity()

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A listening node that remembers what came of each connection. */
async function listening(limits: Partial<Limits> = {}, identity: Identity = server) {
  const links: Link[] = []
  const received: Uint8Array[] = []
  const closed: (PlaitError | undefined)[] = []
  const refused: PlaitError[] = []
  const transport = tcpTransport({
    identity,
    limits: { ...defaultLimits, ...limits },
    runtime,
    refused: (error) => refused.push(error),
  })
  const listener: Listener = await transport.listen({ host: '127.0.0.1', port: 0 }, (link) => {
    links.push(link)
    link.attach({ data: (bytes) => received.push(bytes.slice()), drain() {}, close: (error) => closed.push(error) })
  })
  cleanups.push(async () => {
    await listener.close()
    for (const link of links) link.abort()
  })
  return { ...listener, address: listener.address, close: () => listener.close(), links, received, closed, refused }
}

function dialling(identity: Identity = client, limits: Partial<Limits> = {}) {
  return tcpTransport({ identity, limits: { ...defaultLimits, ...limits }, runtime })
}

/** A client that Node's TLS can be, with settings that plait never uses. */
async function foreignClient(
  address: LinkAddress,
  options: ConnectionOptions,
): Promise<{ socket: TLSSocket; error: Error & { code?: string } }> {
  const socket = connectTls({ ...address, rejectUnauthorized: false, ALPNProtocols: [applicationProtocol], ...options })
  cleanups.push(() => socket.destroy())
  let error = new Error('closed without an error')
  socket.on('error', (cause) => (error = cause))
  socket.resume()
  await closing(socket)
  return { socket, error }
}

const credentialsOf = ({ key, certificate }: TlsCredentials): { key: string; cert: string } => ({
  key,
  cert: certificate,
})
const withCredentials = (credentials: TlsCredentials): Identity => ({ ...createIdentity(), tls: () => credentials })

async function until(condition: () => boolean): Promise<void> {
  for (let wait = 0; !condition(); wait += 1) {
    if (wait > 2000) throw new Error('waited 10 s in vain')
    await new Promise((resolve) => systemTimers.after(5, () => resolve(undefined)))
  }
}

function endOf(link: Link): Promise<PlaitError | undefined> {
  return new Promise((resolve) => link.attach({ data() {}, drain() {}, close: resolve }))
}

describe('dialling', () => {
  it('fails at the right address with another key, before an application byte', async () => {
    const { address, links, received, closed } = await listening()
    const expected = createIdentity().id
    await expect(dialling().dial(address, { remoteId: expected })).rejects.toMatchObject({
      code: 'WRONG_KEY',
      facts: { expected, found: server.id },
    })
    await until(() => closed.length === links.length)
    expect(received).toEqual([])
  })

  it('fails with WRONG_KEY on every foreign certificate, whatever it says', async () => {
    for (const [name, found] of [
      ['rsa', 'rsa'],
      ['ecdsa', 'ec'],
      ['ed448', 'ed448'],
      ['signedByRsaAuthority', 'unreadable'],
    ] as const) {
      const { address } = await listening({}, withCredentials(foreign[name]!))
      const error: unknown = await dialling()
        .dial(address, { remoteId: server.id })
        .catch((reason: unknown) => reason)
      expect(error, name).toMatchObject({ code: 'WRONG_KEY' })
      if (found !== 'unreadable') expect(error).toMatchObject({ facts: { found } })
    }
    const { address } = await listening({}, withCredentials(foreign['signedByAuthority']!))
    const leaf = new X509Certificate(foreign['signedByAuthority']!.certificate)
    const remoteId = nodeIdFromPublicKey(leaf.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32))
    await expect(dialling().dial(address, { remoteId })).rejects.toMatchObject({ code: 'WRONG_KEY' })
  })

  it('takes a self-signed Ed25519 certificate with any name and dates', async () => {
    const credentials = foreign['otherNamesAndDates']!
    const { address } = await listening({}, withCredentials(credentials))
    const spki = new X509Certificate(credentials.certificate).publicKey.export({ type: 'spki', format: 'der' })
    const remoteId = nodeIdFromPublicKey(spki.subarray(-32))
    const link = await dialling().dial(address, { remoteId })
    expect(link.remoteId).toBe(remoteId)
    link.abort()
  })

  it('is told what is wrong at a place where nobody listens, or something else does', async () => {
    const { address, close } = await listening()
    await close()
    await expect(dialling().dial(address, { remoteId: server.id })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      facts: { host: address.host, port: address.port, code: 'ECONNREFUSED' },
    })
    for (const answer of ['SSH-2.0-OpenSSH_9.2\r\n', 'HTTP/1.1 400 Bad Request\r\n\r\n']) {
      const plain = await plainServer((socket) => socket.end(answer))
      await expect(dialling().dial(plain, { remoteId: server.id })).rejects.toMatchObject({ code: 'PROTOCOL' })
    }
    const hangingUp = await plainServer((socket) => socket.destroy())
    await expect(dialling().dial(hangingUp, { remoteId: server.id })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      facts: { code: 'ECONNRESET' },
    })
  })

  it('names a version mismatch, and tells another TLS server from a node', async () => {
    for (const [protocols, code] of [
      [['plait/2'], 'VERSION_MISMATCH'],
      [undefined, 'PROTOCOL'],
    ] as const) {
      const tls = createTlsServer({
        ...credentialsOf(server.tls()),
        ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
      })
      tls
        .on('tlsClientError', (_error, socket) => socket.destroy())
        .on('secureConnection', (socket) => socket.on('error', () => {}))
      const address = await boundTo(tls)
      await expect(dialling().dial(address, { remoteId: server.id })).rejects.toMatchObject({ code })
    }
  })

  it("gives up at its deadline and with its signal's reason", async () => {
    const silent = await plainServer(() => {})
    await expect(
      dialling(client, { handshakeTimeoutMs: 50 }).dial(silent, { remoteId: server.id }),
    ).rejects.toMatchObject({ code: 'HANDSHAKE_TIMEOUT' })
    const reason = new Error('changed my mind')
    await expect(dialling().dial(silent, { remoteId: server.id, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    const controller = new AbortController()
    const dial = dialling().dial(silent, { remoteId: server.id, signal: controller.signal })
    systemTimers.after(20, () => controller.abort(reason))
    await expect(dial).rejects.toBe(reason)
  })

  it('never lets a resumed session become a link', async () => {
    const tls = createTlsServer({ ...credentialsOf(server.tls()), ALPNProtocols: [applicationProtocol] })
    tls.on('secureConnection', (socket) => socket.on('error', () => {}).write('hello'))
    const address = await boundTo(tls)
    const options = { ...address, rejectUnauthorized: false, ALPNProtocols: [applicationProtocol] }
    const first = connectTls(options)
    const [session] = await once(first, 'session')
    expect(proveRemote(first).remoteId).toBe(server.id)
    first.destroy()
    const second = connectTls({ ...options, session })
    await once(second, 'secureConnect')
    expect(second.isSessionReused()).toBe(true)
    expect(() => proveRemote(second)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
    second.destroy()
  })
})

describe('listening', () => {
  it('refuses what is not a plait client, typed, and serves the next', async () => {
    const { address, links, refused } = await listening()
    const plain = connectTcp({ ...address })
    plain.on('error', () => {})
    plain.end('GET / HTTP/1.1\r\n\r\n')
    await closing(plain.resume())
    await until(() => refused.length === 1)
    const mine = credentialsOf(client.tls())
    await foreignClient(address, { ...mine, maxVersion: 'TLSv1.2' })
    await foreignClient(address, { ...mine, ALPNProtocols: [] })
    await foreignClient(address, { ...mine, ALPNProtocols: ['h2'] })
    await until(() => refused.length === 4)
    expect(refused.map((error) => error.code)).toEqual(['PROTOCOL', 'PROTOCOL', 'PROTOCOL', 'VERSION_MISMATCH'])
    expect(links).toEqual([])
    const link = await dialling().dial(address, { remoteId: server.id })
    link.abort()
  })

  it('refuses clients without a certificate or with a foreign one; their links die typed', async () => {
    const { address, links, refused } = await listening()
    const { error } = await foreignClient(address, {})
    expect(error.code).toBe('ECONNRESET')
    await until(() => refused.length === 1)
    expect(refused[0]).toMatchObject({ code: 'INVALID_KEY', facts: { found: 'none' } })
    for (const name of ['rsa', 'ecdsa', 'ed448', 'signedByAuthority', 'signedByRsaAuthority']) {
      const link = await dialling(withCredentials(foreign[name]!)).dial(address, { remoteId: server.id })
      expect(await endOf(link), name).toMatchObject({ code: 'LINK_LOST' })
    }
    await until(() => refused.length === 6)
    expect(refused.map((refusal) => refusal.code)).toEqual(Array.from({ length: 6 }, () => 'INVALID_KEY'))
    expect(links).toEqual([])
  })

  it('resumes no session: a stolen ticket without the key is refused', async () => {
    const { address, links, refused } = await listening()
    const first = connectTls({
      ...address,
      ...credentialsOf(client.tls()),
      rejectUnauthorized: false,
      ALPNProtocols: [applicationProtocol],
    })
    first.on('error', () => {})
    const tickets: NonNullable<ReturnType<TLSSocket['getSession']>>[] = []
    first.on('session', (ticket) => tickets.push(ticket))
    await once(first, 'secureConnect')
    await until(() => links.length === 1)
    links[0]!.write([Uint8Array.of(1)])
    await once(first, 'data')
    tickets.push(first.getSession()!)
    first.destroy()
    for (const session of tickets) {
      const { socket } = await foreignClient(address, { session })
      expect(socket.isSessionReused()).not.toBe(true)
    }
    await until(() => refused.length === tickets.length)
    for (const error of refused) expect(error).toMatchObject({ code: 'INVALID_KEY', facts: { found: 'none' } })
    expect(links).toHaveLength(1)
  })

  it('refuses the identity point, under which OpenSSL verifies anything', () => {
    const point = new Uint8Array(32)
    point[0] = 1
    const forged = new Uint8Array(64)
    forged[0] = 1
    const certificate = new X509Certificate(makeCertificate(point, () => forged))
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    const socket = {
      alpnProtocol: applicationProtocol,
      getProtocol: () => 'TLSv1.3',
      isSessionReused: () => false,
      getPeerX509Certificate: () => certificate,
    }
    expect(() => proveRemote(socket as unknown as TLSSocket)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  })

  it('says what to do when the address cannot be had', async () => {
    const { address } = await listening()
    await expect(dialling().listen(address, () => {})).rejects.toMatchObject({
      code: 'INVALID_ADDRESS',
      facts: { code: 'EADDRINUSE' },
    })
  })

  it('frees its port at once when closed, while its links live on', async () => {
    const first = await listening()
    const link = await dialling().dial(first.address, { remoteId: server.id })
    await until(() => first.links.length === 1)
    await first.close()
    await first.close()
    const again = await dialling(server).listen(first.address, () => {})
    await again.close()
    link.write([Uint8Array.of(5)])
    await until(() => first.received.length === 1)
    expect(first.received).toEqual([Uint8Array.of(5)])
    link.abort()
  })
})

describe('under attack', () => {
  it("sheds 200 stalled handshakes from the honest dialler's own address, and serves it meanwhile", async () => {
    const { address, refused } = await listening({ handshakeTimeoutMs: 2_500, pendingHandshakesPerAddress: 64 })
    let gone = 0
    for (let index = 0; index < 200; index += 1) {
      const stalled = connectTcp({ ...address }).on('error', () => {})
      stalled.on('close', () => (gone += 1)).resume()
      if (index % 2 === 0) stalled.write(Uint8Array.of(0x16, 3, 1, 0x01))
    }
    await until(() => gone >= 100)
    const start = systemClock.now()
    const link = await dialling().dial(address, { remoteId: server.id })
    expect(systemClock.now() - start).toBeLessThan(2_500)
    await until(() => gone === 200)
    expect(systemClock.now() - start).toBeLessThan(12_000)
    expect(new Set(refused.map((error) => error.code))).toEqual(new Set(['LIMIT', 'HANDSHAKE_TIMEOUT']))
    expect(refused).toHaveLength(200)
    link.abort()
  })

  it('survives 1,000 mutated hellos and as many bytes of garbage', async () => {
    const { address, links, refused } = await listening({ handshakeTimeoutMs: 2000 })
    const hello = await recordHello()
    const before = openSockets()
    for (let round = 0; round < 50; round += 1) {
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          sendAndClose(address, round % 5 === 4 ? garbage(index * 40) : mutated(hello)),
        ),
      )
    }
    await until(() => refused.length === 1000)
    for (const error of refused) expect(PlaitError.is(error)).toBe(true)
    expect(links).toEqual([])
    await until(() => openSockets() <= before)
    const link = await dialling().dial(address, { remoteId: server.id })
    link.abort()
  })

  it('survives handshakes that are mutated on their way, in both directions', async () => {
    const { address, received } = await listening({ handshakeTimeoutMs: 500 })
    const before = openSockets()
    let failed = 0
    for (let round = 0; round < 15; round += 1) {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const proxy = await mutatingProxy(address)
          try {
            const link = await dialling(client, { handshakeTimeoutMs: 500 }).dial(proxy.address, {
              remoteId: server.id,
            })
            const error = await Promise.race([
              endOf(link),
              new Promise((resolve) => systemTimers.after(600, () => resolve(undefined))),
            ])
            if (PlaitError.is(error)) failed += 1
            link.abort()
          } catch (error) {
            expect(PlaitError.is(error)).toBe(true)
            failed += 1
          }
          proxy.close()
        }),
      )
    }
    expect(failed).toBeGreaterThan(75)
    expect(received).toEqual([])
    await until(() => openSockets() <= before)
  })

  it('can abort from every callback at every moment, with writes under way', async () => {
    const { address, links, closed } = await listening()
    for (let round = 0; round < 60; round += 1) {
      const link = await dialling().dial(address, { remoteId: server.id })
      let ended = false
      const abortNow = (): void => link.abort()
      link.attach({ data: abortNow, drain: () => round % 3 === 0 && abortNow(), close: () => (ended = true) })
      for (let index = 0; index < round % 7; index += 1) link.write([new Uint8Array(50_000), new Uint8Array(10)])
      // An abort may be faster than the listener's end of the handshake, and then nothing comes of it there.
      const known = links.length
      await until(() => links.length > known || ended)
      const accepted = links[known]
      for (let index = 0; index < 4; index += 1) accepted?.write([new Uint8Array(30_000)])
      if (round % 5 === 0) link.close()
      if (round % 4 === 0) accepted?.abort()
      await until(() => ended)
    }
    await until(() => closed.length === links.length)
    expect(links.length).toBeGreaterThan(30)
  })
})

it('reads into the fixed buffer on this version of Node, at both ends', async () => {
  const { address } = await listening()
  const socket = connectTls({ ...address, rejectUnauthorized: false, ALPNProtocols: [applicationProtocol] })
  socket.on('error', () => {})
  expect(readInto(socket, () => true)).toBe(true)
  expect(readInto(socket, () => true)).toBe(false)
  socket.destroy()
})

async function plainServer(handle: (socket: Socket) => void): Promise<LinkAddress> {
  const plain = createServer((socket) => {
    socket.on('error', () => {})
    cleanups.push(() => socket.destroy())
    handle(socket)
  })
  return boundTo(plain)
}

async function boundTo(listener: Server): Promise<LinkAddress> {
  cleanups.push(() => listener.close())
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return { host: '127.0.0.1', port: (listener.address() as AddressInfo).port }
}

/** The first flight of a real dialler. */
async function recordHello(): Promise<Uint8Array> {
  let record: (bytes: Uint8Array) => void = () => {}
  const recorded = new Promise<Uint8Array>((resolve) => (record = resolve))
  const address = await plainServer((socket) => socket.once('data', record))
  const controller = new AbortController()
  const dial = dialling().dial(address, { remoteId: server.id, signal: controller.signal })
  const hello = await recorded
  controller.abort()
  await dial.catch(() => {})
  return hello
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()))
}

let randomState = 42

/** The same in every run. */
function random(below: number): number {
  randomState = (Math.imul(randomState, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((randomState / 2 ** 32) * below)
}

function garbage(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256))
}

/** Flipped bytes, cuts, doubled parts. */
function mutated(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  for (let flips = 1 + random(4); flips > 0; flips -= 1) copy[random(copy.length)] = random(256)
  const kind = random(3)
  if (kind === 0) return copy.subarray(0, random(copy.length))
  return kind === 1 ? copy : Uint8Array.from([...copy.subarray(0, random(copy.length)), ...copy])
}

async function sendAndClose(address: LinkAddress, bytes: Uint8Array): Promise<void> {
  const socket = connectTcp({ ...address }).on('error', () => {})
  socket.end(bytes)
  await closing(socket.resume())
}

/** Passes bytes on and changes one of them in the first 2,500 of one direction. */
async function mutatingProxy(target: LinkAddress): Promise<{ address: LinkAddress; close: () => void }> {
  const toServer = random(2) === 0
  let countdown = random(toServer ? 1900 : 1700)
  const spoil = (bytes: Uint8Array): Uint8Array => {
    if (countdown >= 0 && countdown < bytes.length) bytes[countdown]! ^= 1 << random(8)
    countdown -= bytes.length
    return bytes
  }
  const sockets: Socket[] = []
  const proxy = createServer((near) => {
    const far = connectTcp({ ...target })
    sockets.push(near, far)
    near
      .on('data', (bytes) => far.write(toServer ? spoil(bytes) : bytes))
      .on('close', () => far.destroy())
      .on('error', () => {})
    far
      .on('data', (bytes) => near.write(toServer ? bytes : spoil(bytes)))
      .on('close', () => near.destroy())
      .on('error', () => {})
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const close = (): void => {
    proxy.close()
    for (const socket of sockets) socket.destroy()
  }
  return { address: { host: '127.0.0.1', port: (proxy.address() as AddressInfo).port }, close }
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP') || name.startsWith('TLS')).length
}
