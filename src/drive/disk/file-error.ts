import { PlaitError } from '../../base/error.ts'

/** The system's name of an error (`ENOENT`), or `''`. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : ''
}

/** True for errors that mean that there is no room, so that nothing else will succeed either. */
export function isNoSpace(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Why something did not work, as the end of a sentence that begins with a path. */
export function failureReason(error: unknown): string {
  const code = systemCode(error)
  return reasons.get(code) ?? (code === '' ? String(error) : `could not be used (${code})`)
}

/** A typed error for a failed call on `path`: `NO_SPACE` or `FILE_FAILED`, with the facts `path` and `reason`. */
export function fileError(error: unknown, path: string): PlaitError {
  if (PlaitError.is(error)) return error
  const facts = { path, reason: systemCode(error) }
  if (isNoSpace(error))
    return new PlaitError('NO_SPACE', `the disk is full at ${path}; free some space and run the same command again`, {
      facts,
      cause: error,
    })
  return new PlaitError('FILE_FAILED', `${path} ${failureReason(error)}`, { facts, cause: error })
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'may not be used: permission denied'],
  ['EPERM', 'may not be used: operation not permitted'],
  ['ENOENT', 'does not exist'],
  ['ELOOP', 'is a symbolic link, or in the place of one'],
  ['ENOTDIR', 'is not a directory'],
  ['EISDIR', 'cannot be put there: a directory is in the way'],
  ['EEXIST', 'cannot be put there: something is in the way'],
  ['ENOTEMPTY', 'cannot be put there: a directory is in the way'],
  ['ENXIO', 'is not a regular file'],
  ['ENODEV', 'is not a regular file'],
  ['EROFS', 'is on a file system that is read-only'],
  ['EIO', 'could not be read or written: the disk reports an error'],
  ['EMFILE', 'could not be opened: too many open files'],
  ['ENFILE', 'could not be opened: too many open files'],
  ['ENAMETOOLONG', 'has a name that is too long for this file system'],
  ['EXDEV', 'is on another file system than the folder'],
  ['EFBIG', 'is larger than this file system allows'],
  ['EINVAL', 'is not accepted by this file system'],
  ['EILSEQ', 'has a name that this file system does not accept'],
])
