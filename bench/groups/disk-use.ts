import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the files below a folder take of the disk. Files that go meanwhile are not counted. */
export function diskBytes(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    bytes += (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.blocks ?? 0) * blockOfStatBytes
  }
  return bytes
}

const blockOfStatBytes = 512
