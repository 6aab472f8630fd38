import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'

/** Names and versions of installed packages, as in `ws 8.23.0`. */
export function installedVersions(...names: readonly string[]): string {
  return names.map((name) => `${name} ${installedVersion(name)}`).join(', ')
}

function installedVersion(name: string): string {
  const file = findPackageJSON(name, import.meta.url)
  if (file === undefined) throw new Error(`${name} is not installed`)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
