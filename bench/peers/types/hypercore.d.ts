import type NoiseSecretStream from '@hyperswarm/secret-stream'

declare class Hypercore {
  // oxlint-disable-next-line typescript/no-restricted-types -- so the package says
  readonly key: Buffer
  readonly length: number
  constructor(folder: string, key?: Uint8Array)
  ready(): Promise<void>
  append(blocks: Uint8Array | readonly Uint8Array[]): Promise<{ length: number; byteLength: number }>
  get(index: number, options?: { wait?: boolean }): Promise<Uint8Array | null>
  has(start: number, end?: number): Promise<boolean>
  download(range: { start: number; end: number }): { done(): Promise<unknown> }
  on(event: 'download', listener: (index: number, bytes: number) => void): this
  replicate(stream: NoiseSecretStream): unknown
  close(): Promise<void>
}

// oxlint-disable-next-line import/no-default-export -- the package has no other
export default Hypercore
