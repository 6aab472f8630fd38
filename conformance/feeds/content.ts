/** A block that says which one it is, and when it was made: nobody can hold it for another one. */
export function blockOf(index: number, bytes: number, madeAt = 0): Uint8Array {
  const block = new Uint8Array(bytes)
  for (let at = 12; at < bytes; at += 1) block[at] = (index * 31 + at * 7) & 255
  const view = new DataView(block.buffer)
  if (bytes >= 4) view.setUint32(0, index, true)
  if (bytes >= 12) view.setFloat64(4, madeAt, true)
  return block
}

export function blocksFrom(start: number, count: number, bytes: number): Uint8Array[] {
  return Array.from({ length: count }, (_value, index) => blockOf(start + index, bytes))
}

/** Whether it is the block that it should be, whenever it was made. */
export function isBlock(block: Uint8Array, index: number): boolean {
  const madeAt = block.length >= 12 ? new DataView(block.buffer, block.byteOffset).getFloat64(4, true) : 0
  const expected = blockOf(index, block.length, madeAt)
  return block.every((byte, at) => byte === expected[at])
}
