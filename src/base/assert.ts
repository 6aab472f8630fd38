/** Stops on a programmer's error. What comes from outside is never asserted: it is checked and answered with a `PlaitError`. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}

/** Proves to the compiler that every case has been handled. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}
