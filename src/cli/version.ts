import { readFileSync } from 'node:fs'

/** Stands in package.json, two folders above the source and above what is built from it. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(text) as { version?: unknown }).version)
}
