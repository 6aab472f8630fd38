import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Directory } from '../disk/directory.ts'

/** Patterns as in gitignore, for the directory in which it stands and all below. It is shared like any other file. */
export const rulesName = '.plaitignore'

/** A longer one is read to here. */
const rulesBytesMax = 64 * 1024

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** The patterns of a directory; undefined when there are none that can be read. */
export function readRules(directory: Directory): string | undefined {
  let fd: number | undefined
  try {
    fd = openSync(directory.at(rulesName), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    if (!fstatSync(fd).isFile()) return undefined
    const bytes = new Uint8Array(rulesBytesMax)
    return new TextDecoder().decode(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)))
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
