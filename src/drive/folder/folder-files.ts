import { PlaitError } from '../../base/error.ts'
import type { FileDoor, ReadableFile } from '../content/open-files.ts'
import { DirectoryTree } from '../disk/directory-tree.ts'
import type { Directory } from '../disk/directory.ts'
import { fileError } from '../disk/file-error.ts'
import { SourceFile } from '../disk/source-file.ts'
import { baseName, parentPath } from '../tree-path.ts'

/** What is read in the turn in which it is asked for, any chunk: to ask another thread, and to be woken by it, takes longer. */
const nowBytesMax = 256 * 1024

/** The files of a folder, and of its history, for who reads pieces of them. Never out of the folder, whatever others do to it. */
export class FolderFiles implements FileDoor {
  readonly #tree: DirectoryTree

  /** `root` stays the caller's. */
  constructor(root: Directory) {
    this.#tree = new DirectoryTree(root)
  }

  open(path: string): Promise<ReadableFile> {
    try {
      const file = SourceFile.open(this.#tree.open(parentPath(path)), baseName(path))
      return Promise.resolve({
        read: (offset, length) => readFrom(file, path, offset, length),
        close: () => close(file),
      })
    } catch (error) {
      return Promise.reject(fileError(error, path))
    }
  }

  /** Names may lead elsewhere by now. */
  forget(): void {
    this.#tree.clear()
  }
}

async function readFrom(file: SourceFile, path: string, offset: number, length: number): Promise<Uint8Array> {
  try {
    const place = new Uint8Array(Math.max(0, Math.min(length, file.size - offset)))
    const count = place.length <= nowBytesMax ? file.readNow(place, offset) : await file.read(place, offset)
    return place.subarray(0, count)
  } catch (error) {
    if (PlaitError.is(error)) throw error
    throw fileError(error, path)
  }
}

function close(file: SourceFile): Promise<void> {
  file.close()
  return Promise.resolve()
}
