import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the files below a folder take of the disk. Files that go meanwhile are not counted. */
export function diskBytes(folder: string): number {
  let bytes = 0
  for (const entry of entriesOf(folder)) {
    if (!entry.isFile()) continue
    bytes += (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.blocks ?? 0) * blockOfStatBytes
  }
  return bytes
}

const blockOfStatBytes = 512

/** Again when a folder goes while it is read. */
function entriesOf(folder: string): Dirent[] {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return readdirSync(folder, { recursive: true, withFileTypes: true })
    } catch (error) {
      if (attempt === attemptsMost || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

const attemptsMost = 5
