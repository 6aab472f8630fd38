/** Growth of heap and of memory outside of it, each read after two forced collections. Needs `--expose-gc`. */
export class HeapGauge {
  #beganBytes = 0

  begin(): void {
    this.#beganBytes = settledBytes()
  }

  grownBytes(): number {
    return settledBytes() - this.#beganBytes
  }
}

function settledBytes(): number {
  const collect = globalThis.gc
  if (collect === undefined) throw new Error('start this process with --expose-gc')
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
