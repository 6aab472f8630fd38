/** Something with replicated sets, or what stands for one: plait or a rival. */
export interface SetTool {
  readonly version: string
  /** What a reader must know about how it is used, and what stands for a set with it. */
  readonly settings: string
  /** An empty set; its operations are those of writer `writer`, a number from 1 up. */
  create(writer: number): SetReplica
  /** The set that `encode` wrote, at another writer. */
  load(state: Uint8Array, writer: number): SetReplica
}

export interface SetReplica {
  readonly size: number
  has(element: string): boolean
  elements(): Iterable<string>
  /** What is prepared before the clock starts: by the means that the tool has for many at once. */
  addAll(elements: readonly string[]): void
  /** Prepares an operation, carries it out here, and gives the bytes that have to be sent. */
  add(element: string): Uint8Array
  delete(element: string): Uint8Array
  /** Takes the next operation of another writer, as `add` or `delete` gave it there. */
  apply(operation: Uint8Array, writer: number): void
  /** Takes over the whole state of another replica, as `encode` gave it there. */
  merge(state: Uint8Array): void
  encode(): Uint8Array
}

/** What each tool's module exports as `createSetTool`. */
export type CreateSetTool = () => SetTool
