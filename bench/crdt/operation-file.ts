const lengthBytes = 4

/** Operations one behind the other, each behind its length. */
export function joinOperations(operations: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(operations.reduce((sum, { length }) => sum + lengthBytes + length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const operation of operations) {
    view.setUint32(at, operation.length)
    bytes.set(operation, at + lengthBytes)
    at += lengthBytes + operation.length
  }
  return bytes
}

/** What `joinOperations` has joined; copies, as a connection would give them. */
export function splitOperations(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const operations: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const start = at + lengthBytes
    at = start + view.getUint32(at)
    // Not of a Buffer, whose slices are no copies.
    operations.push(new Uint8Array(bytes.subarray(start, at)))
  }
  return operations
}
