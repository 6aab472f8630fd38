import { readdirSync } from 'node:fs'
import { fileError, systemCode } from './file-error.ts'

/**
 * What is at `path`: nothing, something that is not a directory, an empty directory, or one with something in it.
 * Throws `FILE_FAILED`.
 */
export function folderState(path: string): 'missing' | 'not-a-folder' | 'empty' | 'filled' {
  try {
    return readdirSync(path).length === 0 ? 'empty' : 'filled'
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'missing'
    if (systemCode(error) === 'ENOTDIR') return 'not-a-folder'
    throw fileError(error, path)
  }
}
