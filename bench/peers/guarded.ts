import type { Handler } from './peer.ts'

/** What a consumer finds wrong ends the run, also where the library that calls it would catch the exception and go on. */
export function guarded(handler: Handler): Handler {
  return (bytes, start, end) => {
    try {
      handler(bytes, start, end)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
