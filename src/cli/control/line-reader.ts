import type { Socket } from 'node:net'
import { PlaitError } from '../../base/error.ts'

export interface LineLimits {
  readonly bytesMax: number
  readonly timeoutMs: number
}

/**
 * The first line that comes on a socket. Rejects with `LIMIT` when it is longer, `TIMEOUT` when it takes longer, `LINK_LOST` when the
 * other side ends before it is whole, and with what the system says.
 */
export function readLine(socket: Socket, { bytesMax, timeoutMs }: LineLimits): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let bytes = 0
    const timer = setTimeout(() => fail('TIMEOUT', `no line came within ${timeoutMs / 1_000} s`), timeoutMs)
    const settle = (): void => {
      clearTimeout(timer)
      socket.off('data', take)
      socket.off('error', refuse)
    }
    const refuse = (error: Error): void => {
      settle()
      reject(error)
    }
    const fail = (code: 'LIMIT' | 'TIMEOUT' | 'LINK_LOST', message: string): void =>
      refuse(new PlaitError(code, message))
    const take = (chunk: Uint8Array): void => {
      const end = chunk.indexOf(newline)
      const part = end < 0 ? chunk : chunk.subarray(0, end)
      bytes += part.length
      if (bytes > bytesMax) return fail('LIMIT', `a line may have ${bytesMax} bytes`)
      chunks.push(part)
      if (end < 0) return
      settle()
      resolve(new TextDecoder().decode(Buffer.concat(chunks)))
    }
    socket.on('data', take)
    socket.once('error', refuse)
    socket.once('close', () => fail('LINK_LOST', 'the other side ended before its line did'))
    socket.once('end', () => fail('LINK_LOST', 'the other side ended before its line did'))
  })
}

const newline = 0x0a
