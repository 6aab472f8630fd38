export declare class Doc {
  clientID: number
  getMap(name: string): YMap
  transact(step: () => void): void
  on(event: 'update', listener: (update: Uint8Array) => void): void
}

export interface YMap {
  readonly size: number
  has(key: string): boolean
  set(key: string, value: unknown): unknown
  delete(key: string): void
  keys(): IterableIterator<string>
}

export declare function applyUpdate(doc: Doc, update: Uint8Array): void
export declare function encodeStateAsUpdate(doc: Doc): Uint8Array
