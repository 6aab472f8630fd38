import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PlaitError } from '../base/error.ts'

/** Nothing secret is longer. */
const privateFileBytes = 4096

/**
 * What stands in a file that only its owner may read, or undefined when there is none. Rejects with `KEY_FILE` when it is not a
 * regular file, belongs to somebody else, can be read by others, or is longer than 4 KiB; and with what the system says.
 */
export async function readPrivateFile(file: string): Promise<Uint8Array | undefined> {
  let handle: FileHandle
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    await checkPrivacy(handle, file)
    const bytes = new Uint8Array(privateFileBytes + 1)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    if (bytesRead > privateFileBytes)
      throw new PlaitError('KEY_FILE', `${file} is too long to be a key; name another file`)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/**
 * Makes a file that only its owner may read, whole and synced. False when there is one of that name already, which is left as it
 * is: of two makers one wins.
 */
export async function createPrivateFile(file: string, content: string | Uint8Array): Promise<boolean> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // Other than a rename, a link never replaces.
    await link(temporary, file)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    return false
  } finally {
    await unlink(temporary)
  }
  await syncDirectory(dirname(file))
  return true
}

/** The error of a file that could not be used, in words. */
export function asKeyFileError(error: unknown, file: string): PlaitError {
  if (PlaitError.is(error)) return error
  const code = systemCode(error) ?? 'unknown'
  const advice = code === 'ENOENT' ? 'make its folder first' : 'check the path, its owner and the room on the disk'
  return new PlaitError('KEY_FILE', `cannot use the key file ${file} (${code}); ${advice}`, {
    cause: error,
    facts: { path: file, code },
  })
}

export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

async function checkPrivacy(handle: FileHandle, file: string): Promise<void> {
  const stat = await handle.stat()
  if (!stat.isFile())
    throw new PlaitError('KEY_FILE', `${file} is not a regular file; name another key file`, { facts: { path: file } })
  const user = process.getuid?.()
  if (user === undefined) return
  if (stat.uid !== user) {
    throw new PlaitError(
      'KEY_FILE',
      `the key file ${file} belongs to another user; run: sudo chown ${user} ${quoted(file)} && chmod 600 ${quoted(file)}`,
      {
        facts: { path: file, owner: stat.uid },
      },
    )
  }
  const mode = stat.mode & 0o777
  if ((mode & 0o077) !== 0) {
    throw new PlaitError(
      'KEY_FILE',
      `other users have access to the key file ${file}; run: chmod 600 ${quoted(file)}`,
      {
        facts: { path: file, mode: mode.toString(8) },
      },
    )
  }
}

async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
