import { encodeHex } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { TempFile } from '../disk/temp-file.ts'
import type { Version } from '../version.ts'
import type { PlaitFolder } from './plait-folder.ts'

/**
 * Gives the content of a version to `write`, in order and verified against its root; each call waits until there is room for more. Rejects
 * when it cannot be had, and writes nothing that is not true.
 */
export type ContentDoor = (
  version: Version,
  write: (bytes: Uint8Array) => Promise<void>,
  options: { readonly signal?: AbortSignal },
) => Promise<void>

/** Puts the content of a version together in a file that may have some of it already. Rejects as a `ContentDoor` does. */
export type PartDoor = (
  version: Version,
  part: TempFile['part'],
  options: { readonly signal?: AbortSignal },
) => Promise<void>

/** The content of a small file, verified; or why it cannot be had. */
export type SmallContent = { readonly bytes: Uint8Array } | { readonly error: unknown }

/** The contents of small files, in the order of their versions. Never rejects. */
export type SmallDoor = (
  versions: readonly Version[],
  options: { readonly signal?: AbortSignal },
) => Promise<readonly SmallContent[]>

/** What an interrupted run has of a file from this size on is kept for the next one. */
export const partBytesMin: number = 1024 * 1024

/** A file up to this size that comes whole is written in the turn in which it comes. */
const smallBytesMax = 64 * 1024

/** Bytes of one file that wait to be written. */
const waitingBytesMax = 4 * 1024 * 1024

/**
 * Writes a file under a name of its own, whole, and to the disk when `isSynced`. The caller places or discards it. Rejects with what the
 * door or the system says; nothing is left then.
 */
export async function stageFile(
  folder: PlaitFolder,
  version: Version,
  content: ContentDoor,
  options: { readonly isSynced: boolean; readonly signal?: AbortSignal },
): Promise<TempFile> {
  const { signal } = options
  // Not before there is something to be written: many files are waited for at once.
  let file: TempFile | undefined
  const opened = (): TempFile => (file ??= TempFile.create(folder.temp, folder.tempName()))
  try {
    let [written, waiting] = [0, 0]
    await content(
      version,
      async (bytes) => {
        signal?.throwIfAborted()
        written += bytes.length
        if (written > version.size) throw wrongSize(version)
        const temp = opened()
        // A small file in one call, at once: to ask another thread for that takes longer than the call.
        if (bytes.length === version.size && bytes.length <= smallBytesMax) return temp.writeNow(bytes)
        waiting += bytes.length
        temp.append(bytes, () => (waiting -= bytes.length))
        if (waiting > waitingBytesMax) await temp.settled()
      },
      signal === undefined ? {} : { signal },
    )
    const temp = opened()
    await temp.settled()
    if (written !== version.size) throw wrongSize(version)
    if (options.isSynced) await temp.sync()
    return temp
  } catch (error) {
    await file?.discard()
    throw error
  }
}

/** As `stageFile`, for a large file: what is there of it stays when it cannot be had whole. */
export async function stagePart(
  folder: PlaitFolder,
  version: Version,
  assemble: PartDoor,
  options: { readonly isSynced: boolean; readonly signal?: AbortSignal },
): Promise<TempFile> {
  const { signal } = options
  const temp = TempFile.resume(folder.parts, encodeHex(version.root))
  try {
    await assemble(version, temp.part, signal === undefined ? {} : { signal })
    if ((await temp.part.size()) !== version.size) throw wrongSize(version)
    if (options.isSynced) await temp.sync()
    return temp
  } catch (error) {
    await temp.discard()
    throw error
  }
}

function wrongSize(version: Version): PlaitError {
  return new PlaitError('CORRUPT', `a content is not as long as its version says, ${version.size} bytes`)
}
