import { PlaitError } from '../base/error.ts'

/** Refuses (`PATH_REFUSED`) what is not a plain path below a disk's root. The empty path is the root itself. */
export function checkDiskPath(path: string): void {
  if (path === '') return
  const isPlain = !path.includes('\0') && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..')
  if (!isPlain)
    throw new PlaitError('PATH_REFUSED', `${JSON.stringify(path)} is not a path relative to the disk's root`)
}
