import type { Corpus } from './corpus.ts'

/** Something that keeps blocks in order and brings them to another process: plait, its rival, or a floor that does a part of it. */
export interface FeedTool {
  readonly version: string
  /** What a reader must know about how it is set up. */
  readonly settings: string
  /** A new feed in `folder`, which is empty. */
  create?(folder: string): Promise<FeedWriter>
  /** A feed that is complete. Resolves when its length is known and its blocks can be read. */
  open?(folder: string, id: string): Promise<OpenedFeed>
  /** Offers the feed in `folder` on loopback. */
  serve?(folder: string, id: string, corpus: Corpus): Promise<Serving>
  /** Makes ready to fetch a feed into `folder`, which is empty; connects to nobody yet. */
  reader?(folder: string, id: string, corpus: Corpus): Promise<FeedReader>
}

export interface FeedWriter {
  readonly id: string
  /** The blocks belong to the tool. Resolves when it says that they are kept. */
  append(blocks: readonly Uint8Array[]): Promise<unknown>
  close(): Promise<void>
}

export interface OpenedFeed {
  readonly length: number
  read(number: number): Promise<Uint8Array>
  close(): Promise<void>
}

export interface Serving {
  /** Holds `127.0.0.1:PORT`. */
  readonly address: string
  proof(): Promise<readonly LinkProof[]>
  close(): Promise<void>
}

export interface FeedReader {
  /** Blocks that have come so far. */
  readonly held: number
  /** Connects, and resolves when all blocks of the corpus are kept here, as far as the tool keeps them. */
  fetch(address: string): Promise<void>
  /** Undefined where nothing is kept to be read again. */
  read?(number: number): Promise<Uint8Array>
  proof(): Promise<readonly LinkProof[]>
  close(): Promise<void>
}

/** One connection as one end knows it. A run in which the ends do not name each other has not been encrypted between these two. */
export interface LinkProof {
  readonly own: string
  readonly remote: string
}

/** What each tool's module exports as `createTool`. */
export type CreateTool = () => FeedTool

const port = /127\.0\.0\.1:(\d+)/

export function portOf(address: string): number {
  const found = port.exec(address)?.[1]
  if (found === undefined) throw new Error(`${address} is not on loopback`)
  return Number(found)
}

/** The same address by way of another port. */
export function throughPort(address: string, through: number): string {
  return address.replace(port, `127.0.0.1:${through}`)
}
