/** An open file. Offsets and lengths in bytes. */
export interface DiskFile {
  size(): Promise<number>
  /** Reads up to `length` bytes at `offset`; shorter at the end of the file. The bytes belong to the caller. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Writes all of `bytes` at `offset`; not durable before `sync`. `bytes` is borrowed until the promise settles. */
  write(offset: number, bytes: Uint8Array): Promise<void>
  truncate(length: number): Promise<void>
  /** Resolves when everything written before the call would survive a power cut. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** The few calls a record log needs, with the guarantees of POSIX and no more. Paths are relative to the disk's root, `/` between names. */
export interface Disk {
  open(path: string, options: { readonly create: boolean }): Promise<DiskFile>
  list(directory: string): Promise<readonly string[]>
  makeDirectory(path: string): Promise<void>
  /** Atomic; durable only after `syncDirectory` of the target's directory. */
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
}
