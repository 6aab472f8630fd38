import type { Corpus } from './corpus.ts'
import type { LinkProof } from './tool.ts'

/** How blocks are appended. */
export interface Appending {
  readonly folder: string
  readonly corpus: Corpus
  /** Blocks in one call, and calls that wait at a time. */
  readonly batch: number
  readonly inFlight: number
}

export interface Source {
  readonly folder: string
  readonly id: string
  readonly corpus: Corpus
}

/** Of this process, since `begin`; the peak since it was started. */
export interface Usage {
  readonly cpuSeconds: number
  /** Physical memory. */
  readonly peakMiB: number
  /** The most that was seen of the heap and of buffers outside of it. */
  readonly heapMiB: number
  /** Lines of text; empty when it was not profiled. */
  readonly profile: readonly string[]
}

/** After forced collections. */
export interface MemorySample {
  /** Blocks appended or held so far. */
  readonly blocks: number
  readonly heapBytes: number
  readonly rssBytes: number
}

/** What a process of the bench of feeds does when it is told, and what it answers. */
export interface Orders {
  about: { readonly order: object; readonly answer: { readonly version: string; readonly settings: string } }
  /** Makes a feed and closes it; the blocks are made as they are appended. */
  fill: { readonly order: Appending; readonly answer: { readonly id: string } }
  /** The same, by the clock: the blocks are made before. The first `warmUp` of them are not counted. */
  append: {
    readonly order: Appending & { readonly warmUp: number; readonly profiled: boolean }
    readonly answer: { readonly seconds: number; readonly usage: Usage }
  }
  open: { readonly order: Source; readonly answer: { readonly openSeconds: number; readonly readSeconds: number } }
  serve: { readonly order: Source; readonly answer: { readonly address: string } }
  /** Makes ready to fetch the source's feed into the folder. */
  prepare: { readonly order: Source; readonly answer: object }
  fetch: {
    readonly order: { readonly address: string }
    /** The second half: from when half of the blocks were there. */
    readonly answer: { readonly seconds: number; readonly secondHalfSeconds: number }
  }
  /** Reads what was fetched, as far as it is kept; throws when it is wrong. */
  verify: { readonly order: object; readonly answer: object }
  proof: { readonly order: object; readonly answer: readonly LinkProof[] }
  begin: { readonly order: { readonly profiled: boolean }; readonly answer: object }
  usage: { readonly order: object; readonly answer: Usage }
  sample: { readonly order: object; readonly answer: MemorySample }
  /** Closes what was prepared and served. */
  close: { readonly order: object; readonly answer: object }
}

export type OrderName = keyof Orders

export type Handlers = {
  readonly [Name in OrderName]: (
    order: Orders[Name]['order'],
  ) => Promise<Orders[Name]['answer']> | Orders[Name]['answer']
}
