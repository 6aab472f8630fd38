import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { count, withinMs } from '../counts.ts'
import { Proxy } from './proxy.ts'
import type { PipeShape } from './pipe.ts'

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

interface Ends {
  readonly proxy: Proxy
  /** Who has dialled, and who was dialled. */
  readonly near: End
  readonly far: End
}

/** A socket that keeps what it hears. */
class End {
  readonly socket: Socket
  readonly heard: Uint8Array[] = []
  bytes = 0
  /** How it ended: by an end, by an error. */
  end: string | undefined
  readonly closed: Promise<unknown>

  constructor(socket: Socket) {
    this.socket = socket
    cleanups.push(() => socket.destroy())
    socket.on('data', (bytes: Uint8Array) => {
      this.heard.push(bytes)
      this.bytes += bytes.length
    })
    socket.on('end', () => (this.end ??= 'end'))
    socket.on('error', (error) => (this.end = (error as NodeJS.ErrnoException).code ?? error.message))
    this.closed = new Promise((resolve) => socket.once('close', resolve))
  }

  get text(): string {
    return Buffer.concat(this.heard).toString()
  }

  /** Until so much has come; rejects after 20 s. */
  async hears(bytes: number): Promise<void> {
    const signal = AbortSignal.timeout(20_000)
    while (this.bytes < bytes) await once(this.socket, 'data', { signal })
  }
}

/** A connection through a proxy. */
async function join(shape: Partial<PipeShape> = {}): Promise<Ends> {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  const proxy = await Proxy.open({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, shape)
  return { proxy, ...(await dial(proxy, server)) }
}

async function dial(proxy: Proxy, server: ReturnType<typeof createServer>): Promise<{ near: End; far: End }> {
  const taken = once(server, 'connection') as Promise<[Socket]>
  const near = new End(connect({ host: '127.0.0.1', port: proxy.port, noDelay: true }))
  const [socket] = await taken
  return { near, far: new End(socket) }
}

/** Bytes of which each four say where they stand. */
function numbered(bytes: number): Uint8Array {
  return new Uint8Array(Uint32Array.from({ length: bytes / 4 }, (_, index) => index).buffer)
}

describe('the proxy', () => {
  it('moves what comes both ways whole and in order, in whatever pieces, with and without delay and rate', async () => {
    const sent = numbered(1024 * 1024)
    for (const shape of [
      {},
      { delayMs: 3 },
      { bytesPerSecond: 4 * 1024 * 1024 },
      { delayMs: 20, bytesPerSecond: 9e6 },
    ]) {
      const { near, far } = await join(shape)
      for (const { socket } of [near, far]) {
        for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 7 + 3) % 60_000) {
          socket.write(sent.subarray(at, at + size))
        }
      }
      await Promise.all([near.hears(sent.length), far.hears(sent.length)])
      for (const end of [near, far]) expect(Buffer.concat(end.heard).equals(sent)).toBe(true)
    }
  })

  it('keeps to the rate, each way by itself, and slows the sender down to it', async () => {
    const bytesPerSecond = 2 * 1024 * 1024
    const total = count(16, 2) * 1024 * 1024
    const { near, far } = await join({ bytesPerSecond })
    const begun = performance.now()
    const ms: number[] = []
    const ends = [near, far].map(async (end) => {
      await end.hears(total)
      ms.push(performance.now() - begun)
    })
    for (const { socket } of [near, far]) socket.write(new Uint8Array(total))
    await sleep(300)
    // What the system's buffers and the pipe do not hold waits at the sender.
    expect(far.bytes).toBeLessThan(0.9 * total)
    await Promise.all(ends)
    const expectedMs = (total * 1_000) / bytesPerSecond
    for (const each of ms) expect(each).toBeGreaterThan(0.95 * expectedMs)
    for (const each of ms) expect(each).toBeLessThan(1.25 * expectedMs + withinMs(250))
  })

  it('delays each byte by as much, not more for many', async () => {
    const { near, far } = await join({ delayMs: 100 })
    far.socket.pipe(far.socket)
    const begun = performance.now()
    near.socket.write('x')
    await near.hears(1)
    const oneMs = performance.now() - begun
    expect(oneMs).toBeGreaterThanOrEqual(199)
    expect(oneMs).toBeLessThan(withinMs(1_000))
    near.socket.write(new Uint8Array(4 * 1024 * 1024))
    const again = performance.now()
    await near.hears(1 + 4 * 1024 * 1024)
    expect(performance.now() - again).toBeLessThan(withinMs(1_000) + oneMs)
  })

  it('cuts by reset and by end; the next connection is a good one', async () => {
    for (const how of ['reset', 'close'] as const) {
      const { proxy, near, far } = await join()
      near.socket.write('before')
      await far.hears(6)
      proxy.cut(how)
      await Promise.all([near.closed, far.closed])
      expect([near.end, far.end]).toEqual(how === 'reset' ? ['ECONNRESET', 'ECONNRESET'] : ['end', 'end'])
      expect(proxy.live).toBe(0)
    }
  })

  it('turns away whoever comes while it is down', async () => {
    const { proxy, near, far } = await join()
    proxy.down('reset')
    await Promise.all([near.closed, far.closed])
    const late = new End(connect({ host: '127.0.0.1', port: proxy.port }))
    await late.closed
    expect([late.end, late.bytes]).toEqual(['ECONNRESET', 0])
    proxy.up()
    const last = new End(connect({ host: '127.0.0.1', port: proxy.port }))
    await once(last.socket, 'connect')
    await sleep(50)
    expect([last.end, proxy.taken, proxy.live]).toEqual([undefined, 3, 1])
  })

  it('loses what is sent one way or both, ends and resets too, and resets what was torn when packets come again', async () => {
    const { proxy, near, far } = await join()
    proxy.blackhole('up')
    near.socket.write('lost')
    far.socket.write('heard')
    await near.hears(5)
    await sleep(100)
    expect([far.text, near.text]).toEqual(['', 'heard'])
    proxy.blackhole('down')
    near.socket.resetAndDestroy()
    far.socket.write('lost too')
    await sleep(200)
    expect([near.text, far.text, far.end]).toEqual(['heard', '', undefined])
    proxy.heal()
    await far.closed
    expect(far.end).toBe('ECONNRESET')
  })

  it('leaves alone what was silent while packets vanished', async () => {
    const { proxy, near, far } = await join()
    near.socket.write('one')
    await far.hears(3)
    proxy.blackhole('up', 'down')
    await sleep(100)
    proxy.heal()
    near.socket.write('two')
    await far.hears(6)
    expect(far.text).toBe('onetwo')
  })

  it('holds back all and loses nothing in a pause', async () => {
    const { proxy, near, far } = await join()
    near.socket.write('a')
    await far.hears(1)
    proxy.pause()
    near.socket.write('b')
    await sleep(200)
    expect(far.text).toBe('a')
    proxy.resume()
    await far.hears(2)
    expect(far.text).toBe('ab')
  })

  it('hands on an end of one direction, the rest of the other, and a reset', async () => {
    const { near, far } = await join({ delayMs: 5 })
    near.socket.allowHalfOpen = true
    near.socket.end('question')
    await far.hears(8)
    far.socket.write('answer')
    far.socket.resetAndDestroy()
    await near.closed
    expect([far.text, near.end]).toEqual(['question', 'ECONNRESET'])
  })
})
