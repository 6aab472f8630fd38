import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Disk, DiskFile } from '../../src/runtime/disk.ts'

/** What a store is doing when it is killed. */
export type Phase = 'append' | 'sync' | 'rotate' | 'compact' | 'checkpoint'

export const phases: readonly Phase[] = ['append', 'sync', 'rotate', 'compact', 'checkpoint']

/** A real disk that announces each phase before it is entered, and waits until the announcement is made. */
export function announcing(disk: Disk, folder: string, announce: (phase: Phase) => Promise<void>): Disk {
  const phaseOf = (path: string, operation: 'write' | 'sync' | 'name'): Phase | undefined => {
    if (path.includes('checkpoint')) return 'checkpoint'
    if (path.endsWith('.tmp')) return isThere(path.replace(/\.tmp$/, '.seg')) ? 'compact' : 'rotate'
    if (path.endsWith('.seg')) return operation === 'name' ? 'compact' : operation === 'write' ? 'append' : 'sync'
    return undefined
  }
  const isThere = (path: string): boolean => {
    const cut = path.lastIndexOf('/')
    return readdirSync(join(folder, path.slice(0, cut))).includes(path.slice(cut + 1))
  }
  const enter = async (path: string, operation: 'write' | 'sync' | 'name'): Promise<void> => {
    const phase = phaseOf(path, operation)
    if (phase !== undefined) await announce(phase)
  }
  return {
    open: async (path, options) => {
      // Reading is no phase, and a temporary file is what it was opened as when it has got its name.
      const file = await disk.open(path, options)
      const writing = phaseOf(path, 'write')
      const syncing = phaseOf(path, 'sync')
      return announcingFile(file, writing, syncing, announce)
    },
    list: (path) => disk.list(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    rename: async (from, to) => {
      await enter(from, 'name')
      await disk.rename(from, to)
    },
    remove: async (path) => {
      await enter(path, 'name')
      await disk.remove(path)
    },
    syncDirectory: (path) => disk.syncDirectory(path),
  }
}

function announcingFile(
  file: DiskFile,
  writing: Phase | undefined,
  syncing: Phase | undefined,
  announce: (phase: Phase) => Promise<void>,
): DiskFile {
  // A segment is made under another name, and then it is one that records are appended to.
  let isFirst = writing === 'rotate'
  return {
    size: () => file.size(),
    read: (offset, length) => file.read(offset, length),
    write: async (offset, bytes) => {
      if (writing !== undefined) await announce(writing === 'rotate' && !isFirst ? 'append' : writing)
      await file.write(offset, bytes)
    },
    truncate: (length) => file.truncate(length),
    sync: async () => {
      if (syncing !== undefined) await announce(syncing === 'rotate' && !isFirst ? 'sync' : syncing)
      isFirst = false
      await file.sync()
    },
    close: () => file.close(),
  }
}
