export interface Random {
  /** `length` fresh bytes, owned by the caller. Unpredictable in the system's version. */
  bytes(length: number): Uint8Array
  /** A whole number, uniform in 0 .. 2^32 - 1. */
  uint32(): number
  /** Uniform in [0, 1). */
  real(): number
}
