import type { BlockCutter } from './block-cutter.ts'

/** What is read ahead of the disk. */
const waitingBytesMax = 8 * 1024 * 1024
const waitingBlocksMax = 65_536
/** A block costs something besides its bytes. */
const blockCostBytes = 16

export interface AppendPumpOptions {
  readonly cutter: BlockCutter
  /** Appends blocks, which are durable when it resolves. */
  readonly append: (blocks: readonly Uint8Array[]) => Promise<void>
  /** Of the blocks of one call, unless it is a single one. */
  readonly batchBytesMax: number
  readonly onAppended: (blocks: number, bytes: number) => void
}

/**
 * Brings a stream into a feed. While one batch is on its way to the disk the next one is read, so that fast input shares few syncs and
 * slow input waits for nothing.
 */
export class AppendPump {
  readonly #options: AppendPumpOptions
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #isRead = false
  #wake: () => void = () => {}

  constructor(options: AppendPumpOptions) {
    this.#options = options
  }

  /** Resolves when all is durable. When reading fails, what was read before is appended first. */
  async run(input: AsyncIterable<Uint8Array>): Promise<void> {
    const reading = this.#read(input).finally(() => {
      this.#isRead = true
      this.#wake()
    })
    // It is waited for below; until then its failure is nobody's.
    reading.catch(() => {})
    await this.#write()
    await reading
  }

  async #read(input: AsyncIterable<Uint8Array>): Promise<void> {
    const { cutter } = this.#options
    for await (const bytes of input) {
      for (const block of cutter.push(bytes)) this.#take(block)
      this.#wake()
      while (this.#waitingBytes > waitingBytesMax || this.#waiting.length > waitingBlocksMax) await this.#change()
    }
    for (const block of cutter.end()) this.#take(block)
  }

  async #write(): Promise<void> {
    for (;;) {
      const batch = this.#batch()
      if (batch.length > 0) {
        await this.#options.append(batch)
        this.#options.onAppended(
          batch.length,
          batch.reduce((sum, block) => sum + block.length, 0),
        )
        this.#wake()
      } else if (this.#isRead) return
      else await this.#change()
    }
  }

  #take(block: Uint8Array): void {
    this.#waiting.push(block)
    this.#waitingBytes += block.length
  }

  #batch(): readonly Uint8Array[] {
    let count = 0
    let bytes = 0
    for (const block of this.#waiting) {
      const costBytes = block.length + blockCostBytes
      if (count > 0 && bytes + costBytes > this.#options.batchBytesMax) break
      count += 1
      bytes += costBytes
    }
    const batch = this.#waiting.splice(0, count)
    for (const block of batch) this.#waitingBytes -= block.length
    return batch
  }

  /** Until the other half has done something: only one of them ever waits. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
