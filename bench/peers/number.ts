/** Numbers of messages stand in their first four bytes, little-endian. */
export function writeNumber(into: Uint8Array, at: number, value: number): void {
  into[at] = value
  into[at + 1] = value >>> 8
  into[at + 2] = value >>> 16
  into[at + 3] = value >>> 24
}

export function readNumber(from: Uint8Array, at: number): number {
  const low = (from[at] as number) | ((from[at + 1] as number) << 8) | ((from[at + 2] as number) << 16)
  return (low | ((from[at + 3] as number) << 24)) >>> 0
}
