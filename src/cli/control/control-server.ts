import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { PlaitError } from '../../base/error.ts'
import { fileError } from '../../drive/disk/file-error.ts'
import { controlAddress, controlFolder, makeControlFolder } from './control-folder.ts'
import { answerLine, errorLine, parseRequest, requestBytesMax, type ControlRequest } from './control-protocol.ts'
import { readLine } from './line-reader.ts'

const requestTimeoutMs = 5_000
const connectionsMax = 16
/** Longer paths of sockets are cut off by the system, silently: 104 bytes on macOS, 108 on Linux, the last one a zero. */
const pathBytesMax = 103

export type ControlHandler = (request: ControlRequest) => unknown

/** The socket through which a running program says what it does, to this user's other programs and to nobody else. */
export class ControlServer implements AsyncDisposable {
  readonly path: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(path: string, answer: ControlHandler) {
    this.path = path
    // Who sends its line and ends at once gets its answer too.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => void this.#serve(socket, answer))
    this.#server.maxConnections = connectionsMax
  }

  /** Rejects with `FILE_FAILED`. */
  static async open(nodeId: string, answer: ControlHandler): Promise<ControlServer> {
    const folder = controlFolder()
    makeControlFolder(folder)
    const { path } = controlAddress(folder, nodeId, process.pid)
    if (new TextEncoder().encode(path).length > pathBytesMax)
      throw new PlaitError('FILE_FAILED', `${path} is too long for a socket; set XDG_RUNTIME_DIR to a shorter one`, {
        facts: { path },
      })
    const server = new ControlServer(path, answer)
    try {
      // One of this name was left by an earlier process with the same number.
      rmSync(path, { force: true })
      await server.#listen()
      chmodSync(path, 0o600)
    } catch (error) {
      await server.close()
      throw fileError(error, path)
    }
    return server
  }

  /** Takes the socket away; who is connected is dropped, after this time for those who wait for an answer. Idempotent. */
  close(graceMs: number = 0): Promise<void> {
    return new Promise((resolve) => {
      const drop = (): void => this.#sockets.forEach((socket) => socket.destroy())
      const timer = setTimeout(drop, graceMs)
      this.#server.close(() => {
        clearTimeout(timer)
        resolve()
      })
      if (graceMs === 0) drop()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.path, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  async #serve(socket: Socket, answer: ControlHandler): Promise<void> {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // Whoever asks may go away at any time.
    socket.on('error', () => {})
    let line: string
    try {
      const request = parseRequest(await readLine(socket, { bytesMax: requestBytesMax, timeoutMs: requestTimeoutMs }))
      line = answerLine(await answer(request))
    } catch (error) {
      line = errorLine(error)
    }
    socket.setTimeout(requestTimeoutMs, () => socket.destroy())
    socket.end(line)
    // Read to its end, so that its end is seen.
    socket.resume()
  }
}
