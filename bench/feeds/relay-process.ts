import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const relayFile = fileURLToPath(new URL('relay.ts', import.meta.url))

export interface RelayOptions {
  readonly targetPort: number
  /** Of each byte, each way. */
  readonly delayMs: number
  /** Each way; as fast as the machine can when absent. */
  readonly bytesPerSecond?: number
}

/** Bytes of TCP connections so far, from those that dialled and back to them. */
export interface RelayCount {
  readonly port: number
  readonly up: number
  readonly down: number
}

/** A relay in a process of its own, as its parent sees it. */
export class RelayProcess {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(options: RelayOptions): Promise<RelayProcess> {
    const child = fork(relayFile, [JSON.stringify(options)])
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`the relay ended with ${code}`)
    })
    // Heard until it has started; later its end is asked for, or fails the connections.
    failed.catch(() => {})
    const [{ port }] = (await Promise.race([once(child, 'message'), failed])) as [RelayCount]
    return new RelayProcess(child, port)
  }

  async bytes(): Promise<number> {
    const answered = once(this.#child, 'message') as Promise<[RelayCount]>
    this.#child.send('count')
    const [{ up, down }] = await answered
    return up + down
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}
