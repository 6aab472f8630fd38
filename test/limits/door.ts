import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import { simulatedIdentity } from '../../src/identity/simulated.ts'
import type { Link, LinkHandlers } from '../../src/link/link.ts'
import { createNode } from '../../src/node/create-node.ts'
import type { PlaitNode } from '../../src/node/node-api.ts'
import { Scheduler } from '../../src/runtime/simulated/scheduler.ts'
import { simulatedRuntime } from '../../src/runtime/simulated/simulated-runtime.ts'
import { stepTurns } from '../../src/runtime/system/turn.ts'
import { encodeHello } from '../../src/session/hello.ts'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import { FrameDecoder } from '../../src/wire/decoder.ts'
import { decodeError } from '../../src/wire/error.ts'
import { frameTypes } from '../../src/wire/frame.ts'
import type { Outcome } from './row.ts'

/** A node at whose door anybody may knock, from any address and by any name, over links that are nothing but their bytes. */
export class Door {
  readonly scheduler: Scheduler = new Scheduler()
  readonly node: PlaitNode
  readonly #accept: (link: Link) => void
  #knocks = 0

  static async open(limits: Partial<Limits>): Promise<Door> {
    const scheduler = new Scheduler()
    let accept: (link: Link) => void = () => {}
    const listen = async (): Promise<{ address: { host: string; port: number }; close: () => Promise<void> }> => ({
      address: { host: '10.0.0.1', port: 1 },
      close: async () => {},
    })
    const node = await createNode({
      identity: simulatedIdentity(Uint8Array.of(1)),
      limits,
      listen: ['raw://10.0.0.1:1'],
      runtime: simulatedRuntime({ scheduler }),
      transports: () => [
        {
          scheme: 'raw',
          dial: () => Promise.reject(new Error('nobody dials from here')),
          listen: (_address, take) => {
            accept = take
            return listen()
          },
        },
      ],
    })
    return new Door(node, accept, scheduler)
  }

  private constructor(node: PlaitNode, accept: (link: Link) => void, scheduler: Scheduler) {
    this.node = node
    this.scheduler = scheduler
    this.#accept = accept
  }

  /** A new link, of a node that nobody has seen before. */
  knock(address: string): RawLink {
    this.#knocks += 1
    // Larger than every real id: the node has the last word.
    const link = new RawLink(`zzzz${this.#knocks}` as NodeId, address)
    this.#accept(link)
    return link
  }

  async close(): Promise<void> {
    const closed = this.node.close({ signal: AbortSignal.abort() })
    await this.run(1_000)
    await closed
  }

  /** Lets all go on that is due, and so much time pass. */
  run(elapsedMs = 0): Promise<void> {
    const end = this.scheduler.now + elapsedMs
    return stepTurns(() => this.scheduler.step(end))
  }
}

/** The far end of a link, in the hands of a test. */
export class RawLink implements Link {
  readonly remoteId: NodeId
  readonly remoteAddress: string
  readonly binding: Uint8Array = new Uint8Array(32).fill(9)
  readonly dialled = false
  readonly pendingBytes = 0
  readonly #types: number[] = []
  #handlers: LinkHandlers | undefined
  #outcome: Outcome = { closed: 'nothing' }
  readonly #decoder = new FrameDecoder()

  constructor(remoteId: NodeId, remoteAddress: string) {
    this.remoteId = remoteId
    this.remoteAddress = remoteAddress
  }

  /** Says what an honest node says. */
  greet(): this {
    const hello = encodeHello({ epoch: new Uint8Array(16), agent: 'raw', addresses: [] }, defaultLimits)
    this.say(rawFrame(frameTypes.HELLO, 0, hello))
    this.say(rawFrame(frameTypes.READY, 0, Uint8Array.of(1, ...this.binding)))
    return this
  }

  say(bytes: Uint8Array): void {
    this.#handlers?.data(bytes)
  }

  /** What the node has made of it: a session is there when it has said READY. */
  get outcome(): Outcome {
    return this.#outcome
  }

  get isReady(): boolean {
    return this.#types.includes(frameTypes.READY)
  }

  attach(handlers: LinkHandlers): void {
    this.#handlers = handlers
  }

  write(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      this.#decoder.feed(chunk, {
        stopped: false,
        check: () => {},
        place: () => undefined,
        frame: (type, _channel, bytes, start, end) => {
          this.#types.push(type)
          if (type !== frameTypes.GOAWAY) return
          const closed = this.isReady ? 'session' : 'link'
          this.#outcome = { closed, code: decodeError(bytes, start, end).code }
        },
      })
    }
  }

  /** It does not help to close it in order. */
  isStubborn = false
  isClosed = false

  close(): void {
    if (!this.isStubborn) this.abort()
  }

  abort(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#handlers?.close()
  }
}
