import type { TLSSocket } from 'node:tls'

/** The most that one decrypted record brings, and so the most that Node hands over at once. */
const recordBytes = 16 * 1024

/**
 * Gives `receive` what `socket` decrypts, lent until it returns; when it returns false reading pauses until `socket.resume()`.
 *
 * Node's `onread` option reads into one fixed buffer instead of making one for each read, which halves the reader's CPU time;
 * but Node ignores it for a TLS socket over an existing one. So this sets what that option would have set, if this version of
 * Node still has it under that name, and listens to `'data'` otherwise, or when asked to (`freshReads`). Returns whether the
 * fixed buffer is in use.
 */
export function readInto(socket: TLSSocket, receive: (bytes: Uint8Array) => boolean, freshReads = false): boolean {
  const internals = socket as unknown as SocketInternals
  const slots = freshReads ? undefined : findSlots(internals)
  if (slots === undefined) {
    socket.on('data', (chunk: Uint8Array) => {
      if (!receive(chunk)) socket.pause()
    })
    return false
  }
  internals[slots.buffer] = new Uint8Array(recordBytes)
  internals[slots.callback] = (length: number, buffer: Uint8Array): boolean => receive(buffer.subarray(0, length))
  internals._handle?.useUserBuffer?.(internals[slots.buffer] as Uint8Array)
  return true
}

interface SocketInternals {
  [slot: symbol]: unknown
  readonly _handle?: { readonly useUserBuffer?: (buffer: Uint8Array) => void } | null
}

interface Slots {
  readonly buffer: symbol
  readonly callback: symbol
}

/** The three slots must all be there, and empty. */
function findSlots(internals: SocketInternals): Slots | undefined {
  if (typeof internals._handle?.useUserBuffer !== 'function') return undefined
  const own = Object.getOwnPropertySymbols(internals)
  const empty = (name: string): symbol | undefined =>
    own.find((symbol) => symbol.description === name && internals[symbol] === null)
  const buffer = empty('kBuffer')
  const callback = empty('kBufferCb')
  return buffer === undefined || callback === undefined || empty('kBufferGen') === undefined
    ? undefined
    : { buffer, callback }
}
