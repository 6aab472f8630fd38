import type { DiskFile } from '../runtime/disk.ts'
import type { RecordFormat } from './record.ts'
import { scanSegment } from './segment-scan.ts'
import type { Segment } from './segment-table.ts'

/** Where in the file of a compacted segment positions stand: one for every few KiB, so that a read need not look far. */
export class SegmentIndex {
  readonly #positions: number[]
  readonly #offsets: number[]
  readonly #fileBytes: number

  private constructor(positions: number[], offsets: number[], fileBytes: number) {
    this.#positions = positions
    this.#offsets = offsets
    this.#fileBytes = fileBytes
  }

  /** Reads the file from beginning to end. */
  static async read(
    segment: Segment,
    file: DiskFile,
    format: RecordFormat,
    recordBytesMax: number,
  ): Promise<SegmentIndex> {
    const positions: number[] = []
    const offsets: number[] = []
    const fileBytes = await file.size()
    let nextOffset = 0
    let endOffset = 0
    await scanSegment({
      ...segment,
      file,
      fileBytes,
      format,
      recordBytesMax,
      visit: ({ position, fileOffset, start, end }) => {
        // Behind damage begins a new piece: nobody can walk over it.
        if (fileOffset >= nextOffset || fileOffset !== endOffset) {
          positions.push(position)
          offsets.push(fileOffset)
          nextOffset = fileOffset + stepBytes
        }
        endOffset = fileOffset + 8 + end - start
      },
    })
    return new SegmentIndex(positions, offsets, fileBytes)
  }

  /** The piece of the file in which a position must be, if it is there. */
  near(position: number): { readonly offset: number; readonly length: number } {
    let low = 0
    let high = this.#positions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#positions[middle] as number) <= position) low = middle + 1
      else high = middle
    }
    const offset = this.#offsets[low - 1] ?? this.#fileBytes
    return { offset, length: (this.#offsets[low] ?? this.#fileBytes) - offset }
  }
}

const stepBytes = 4 * 1024
