import { linkSync, lstatSync, unlinkSync } from 'node:fs'
import { PlaitError } from '../../base/error.ts'
import { DirectoryTree } from '../disk/directory-tree.ts'
import { fileError, systemCode } from '../disk/file-error.ts'
import { SourceFile } from '../disk/source-file.ts'
import { baseName, parentPath, pathProblem } from '../tree-path.ts'
import type { PlaitFolder } from './plait-folder.ts'

/**
 * Brings a file back from the history, with its mode and time, under a path at which nothing is; the next scan publishes it. What is in the
 * history stays there. Throws `PATH_REFUSED`, `FILE_FAILED` or `NO_SPACE`.
 */
export function restoreFile(folder: PlaitFolder, id: string, path: string): void {
  const problem = pathProblem(path)
  if (problem !== undefined)
    throw new PlaitError('PATH_REFUSED', `${path} ${problem}: choose another path`, { facts: { path } })
  const tree = new DirectoryTree(folder.root)
  const name = folder.tempName()
  try {
    const entry = folder.history.list().find((one) => one.id === id)
    if (entry === undefined || entry.kind !== 'file')
      throw new PlaitError('FILE_FAILED', `there is no file ${id} in the history; see \`plait log\``, {
        facts: { path },
      })
    folder.history.copy(id, folder.temp, name)
    const file = SourceFile.open(folder.temp, name)
    try {
      file.adjust(entry)
    } finally {
      file.close()
    }
    linkSync(folder.temp.at(name), tree.open(parentPath(path)).at(baseName(path)))
  } catch (error) {
    if (systemCode(error) === 'EEXIST')
      throw new PlaitError('FILE_FAILED', `something is at ${path} already; choose another path`, { facts: { path } })
    if (systemCode(error) === 'ENOENT')
      throw new PlaitError(
        'FILE_FAILED',
        `there is no directory for ${path} any more; make it, or choose another path`,
        {
          facts: { path },
        },
      )
    throw fileError(error, path)
  } finally {
    tree.clear()
    if (lstatSync(folder.temp.at(name), { throwIfNoEntry: false }) !== undefined) unlinkSync(folder.temp.at(name))
  }
}
