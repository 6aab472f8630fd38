export interface Clock {
  /** Monotonic milliseconds with a fraction, from an arbitrary origin. */
  now(): number
  /** Milliseconds since 1970, for people and file times only; never for deadlines. */
  wallMs(): number
}
