export type Doc<T> = Readonly<T>

interface Options {
  readonly actor?: string
}

export declare function from<T extends Record<string, unknown>>(initial: T, options?: Options): Doc<T>
export declare function load<T>(state: Uint8Array, options?: Options): Doc<T>
export declare function change<T>(doc: Doc<T>, step: (draft: T) => void): Doc<T>
export declare function getLastLocalChange<T>(doc: Doc<T>): Uint8Array | undefined
export declare function applyChanges<T>(doc: Doc<T>, changes: readonly Uint8Array[]): [Doc<T>]
export declare function loadIncremental<T>(doc: Doc<T>, state: Uint8Array): Doc<T>
export declare function save<T>(doc: Doc<T>): Uint8Array
