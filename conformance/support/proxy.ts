import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { Pipe } from './pipe.ts'
import type { PipeShape } from './pipe.ts'

// Bad weather between two real processes: this kernel has no netem, so that delay, rate, cuts and silence come from a proxy in
// user space. It moves bytes and knows nothing of what they mean.

export interface Place {
  readonly host: string
  readonly port: number
}

/** `up`: from who has dialled; `down`: back to it. */
export type Direction = 'up' | 'down'

export type Cut =
  /** Both ends see a reset. */
  | 'reset'
  /** Both ends see an orderly end. */
  | 'close'

/** A TCP proxy in front of one place. It is closed when the test ends that opened it. */
export class Proxy {
  /** Of both directions, and of every byte that comes from now on. */
  readonly shape: PipeShape = { delayMs: 0, bytesPerSecond: Infinity }
  /** Connections that have been taken in so far. */
  taken = 0
  /** When the last one was. */
  takenAt: number = -Infinity
  readonly #server: Server
  readonly #target: Place
  readonly #conduits = new Set<Conduit>()
  readonly #lost = new Set<Direction>()
  #down = false
  #paused = false

  private constructor(server: Server, target: Place) {
    this.#server = server
    this.#target = target
    server.on('connection', (near) => this.#take(near))
  }

  static async open(target: Place, shape: Partial<PipeShape> = {}): Promise<Proxy> {
    // What goes through may end in one direction first.
    const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new Proxy(server, target)
    Object.assign(proxy.shape, shape)
    onTestFinished(() => proxy.close())
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections that live. */
  get live(): number {
    return this.#conduits.size
  }

  /** Ends every connection now; what is under way is gone. New ones are taken. */
  cut(how: Cut): void {
    for (const conduit of [...this.#conduits]) conduit.cut(how)
  }

  /** Ends every connection, and each new one as soon as it comes, until `up`. */
  down(how: Cut): void {
    this.#down = true
    this.cut(how)
  }

  up(): void {
    this.#down = false
  }

  /**
   * Packets vanish: what is sent that way is lost, also the end of a connection, and nobody is told. New connections are
   * taken by the system, and stay silent.
   */
  blackhole(...directions: readonly Direction[]): void {
    for (const direction of directions) this.#lost.add(direction)
  }

  /** Packets arrive again. A connection that has lost bytes can never go on: it is reset, as one whose packets were too old. */
  heal(): void {
    this.#lost.clear()
    for (const conduit of [...this.#conduits]) if (conduit.torn) conduit.cut('reset')
  }

  /** Nothing passes, nothing is lost: who sends meets a full pipe after a while. */
  pause(): void {
    this.#paused = true
    for (const conduit of this.#conduits) conduit.flow()
  }

  resume(): void {
    this.#paused = false
    for (const conduit of this.#conduits) conduit.flow()
  }

  close(): void {
    this.#server.close()
    this.cut('reset')
  }

  #take(near: Socket): void {
    this.taken += 1
    this.takenAt = performance.now()
    if (this.#down) {
      near.on('error', () => {}).resetAndDestroy()
      return
    }
    const far = connect({ ...this.#target, allowHalfOpen: true, noDelay: true })
    const conduit = new Conduit(near, far, {
      shape: this.shape,
      loses: (direction) => this.#lost.has(direction),
      paused: () => this.#paused,
      gone: () => this.#conduits.delete(conduit),
    })
    this.#conduits.add(conduit)
    conduit.flow()
  }
}

interface Weather {
  readonly shape: PipeShape
  readonly loses: (direction: Direction) => boolean
  readonly paused: () => boolean
  readonly gone: () => void
}

/** One connection: two sockets, and a pipe each way. */
class Conduit {
  /** Bytes have vanished in it. */
  torn = false
  readonly #sockets: Readonly<Record<Direction, Socket>>
  readonly #pipes: Readonly<Record<Direction, Pipe>>
  readonly #weather: Weather
  #open = 2
  #cut = false

  constructor(near: Socket, far: Socket, weather: Weather) {
    this.#weather = weather
    // By the direction of what is read from it.
    this.#sockets = { up: near, down: far }
    const { shape } = weather
    this.#pipes = {
      up: new Pipe(shape, (bytes) => this.#write('up', far, bytes)),
      down: new Pipe(shape, (bytes) => this.#write('down', near, bytes)),
    }
    this.#join('up', near, far)
    this.#join('down', far, near)
  }

  cut(how: Cut): void {
    this.#cut = true
    for (const pipe of Object.values(this.#pipes)) pipe.clear()
    for (const socket of Object.values(this.#sockets)) {
      if (how === 'reset' && !socket.connecting) socket.resetAndDestroy()
      else if (how === 'reset') socket.destroy()
      else socket.destroySoon()
    }
  }

  /** Reads from those whose pipe has room. */
  flow(): void {
    for (const direction of ['up', 'down'] as const) {
      if (this.#weather.paused() || this.#pipes[direction].full || this.#sinkOf(direction).writableNeedDrain) {
        this.#sockets[direction].pause()
      } else {
        this.#sockets[direction].resume()
      }
    }
  }

  #join(direction: Direction, from: Socket, to: Socket): void {
    const pipe = this.#pipes[direction]
    from.on('data', (bytes: Uint8Array) => {
      if (this.#vanishes(direction)) return
      pipe.put(bytes)
      this.flow()
    })
    from.on('end', () => {
      if (!this.#vanishes(direction)) pipe.end(() => to.end())
    })
    from.on('drain', () => this.flow())
    from.on('error', () => {})
    from.on('close', (failed: boolean) => {
      this.#open -= 1
      if (this.#open === 0) this.#weather.gone()
      // A reset goes on to the other end, behind what was sent before it; an orderly end has gone its way already.
      if (this.#cut || this.#vanishes(direction) || !failed) return
      pipe.end(() => to.resetAndDestroy())
    })
  }

  #write(direction: Direction, to: Socket, bytes: Uint8Array): void {
    if (this.#vanishes(direction) || to.destroyed) return
    to.write(bytes)
    this.flow()
  }

  #vanishes(direction: Direction): boolean {
    if (!this.#weather.loses(direction)) return false
    this.torn = true
    return true
  }

  #sinkOf(direction: Direction): Socket {
    return this.#sockets[direction === 'up' ? 'down' : 'up']
  }
}
