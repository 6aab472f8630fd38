import { PlaitError } from '../base/error.ts'
import type { Disk } from '../runtime/disk.ts'
import { synced } from './log-folder.ts'

/** Reads a small file whole; undefined when there is none. */
export async function readSmallFile(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  let file
  try {
    file = await disk.open(path, { create: false })
  } catch (error) {
    if (PlaitError.is(error) && error.facts['reason'] === 'ENOENT') return undefined
    throw error
  }
  try {
    return await file.read(0, await file.size())
  } finally {
    await file.close()
  }
}

/** Puts a file in the place of another one as a whole: after a power cut there is the old one or the new one. */
export async function replaceSmallFile(
  disk: Disk,
  directory: string,
  name: string,
  parts: readonly Uint8Array[],
): Promise<void> {
  const path = directory === '' ? name : `${directory}/${name}`
  const file = await disk.open(`${path}.tmp`, { create: true })
  try {
    await file.truncate(0)
    let offset = 0
    for (const part of parts) {
      await file.write(offset, part)
      offset += part.length
    }
    await synced(file.sync())
  } finally {
    await file.close()
  }
  await disk.rename(`${path}.tmp`, path)
  await synced(disk.syncDirectory(directory))
}
