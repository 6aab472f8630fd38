import { accessSync, constants } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { delimiter, join } from 'node:path'
import { packagesOf, programsOf } from './names.ts'

/** Where Debian puts servers, which not every user's PATH names. */
const serverFolders = ['/usr/sbin', '/usr/local/sbin']

/** `not installed: NAME` for a peer whose packages or programs are not there; undefined when it can run. */
export function missingOf(
  peer: string,
  hasPackage: (name: string) => boolean = isPackageInstalled,
  hasProgram: (name: string) => boolean = (name) => programPath(name) !== undefined,
): string | undefined {
  const missing = [
    ...packagesOf(peer).filter((name) => !hasPackage(name)),
    ...programsOf(peer).filter((name) => !hasProgram(name)),
  ]
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`
}

/** The path of a program that can be run; undefined when there is none. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...serverFolders]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

export function isPackageInstalled(name: string): boolean {
  try {
    return findPackageJSON(name, import.meta.url) !== undefined
  } catch {
    return false
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
