import type { StoredGroup } from '../sync/feed-store.ts'
import { encodeBlocksHeader, recordBlocksBytes, recordBlocksMax } from './feed-record.ts'
import type { FeedFiles } from './feed-files.ts'
import type { RecordSink } from './rounds.ts'

/** Blocks of one record, and where it stands. */
interface Piece {
  readonly start: number
  readonly blocks: readonly Uint8Array[]
  readonly position: number
}

/** Blocks that follow one another on their way into the log, and then into the derived files. */
export class StoredBlocks {
  readonly #group: StoredGroup
  readonly #kind: number
  #pieces: Piece[] = []

  constructor(group: StoredGroup, kind: number) {
    this.#group = group
    this.#kind = kind
  }

  write(sink: RecordSink): void {
    this.#pieces = []
    const { blocks, start } = this.#group
    for (let from = 0; from < blocks.length;) {
      const to = pieceEnd(blocks, from)
      const piece = from === 0 && to === blocks.length ? blocks : blocks.slice(from, to)
      const position = sink.append(this.#kind, [encodeBlocksHeader(start + from, piece), ...piece])
      this.#pieces.push({ start: start + from, blocks: piece, position })
      from = to
    }
  }

  written(files: FeedFiles): void {
    for (const { start, blocks, position } of this.#pieces) files.writePlaces(start, blocks, position)
    files.writeNodes(this.#group.position, this.#group.nodes)
  }
}

function pieceEnd(blocks: readonly Uint8Array[], from: number): number {
  let bytes = 0
  let to = from
  for (; to < blocks.length && to - from < recordBlocksMax; to += 1) {
    bytes += (blocks[to] as Uint8Array).length
    if (bytes > recordBlocksBytes && to > from) break
  }
  return to
}
