import { isPackageInstalled } from '../harness/missing.ts'

interface Entry {
  /** From this folder. */
  readonly module: string
  readonly packages?: readonly string[]
}

/** In the order of the table. */
const entriesByTool = new Map<string, Entry>([
  ['file', { module: 'file.ts' }],
  ['tls', { module: 'tls.ts' }],
  ['tls-file', { module: 'tls-file.ts' }],
  ['hypercore', { module: 'hypercore.ts', packages: ['hypercore', '@hyperswarm/secret-stream'] }],
  ['plait', { module: '../peers/plait/feed-tool.ts' }],
])

export const toolNames: readonly string[] = [...entriesByTool.keys()]

export const us = 'plait'
export const rival = 'hypercore'
/** Floors do a part of the work, and are compared with nobody. */
export const floors: readonly string[] = toolNames.filter((name) => name !== us && name !== rival)

export function toolModule(name: string): string {
  const entry = entriesByTool.get(name)
  if (entry === undefined) throw new Error(`there is no ${name}`)
  return new URL(entry.module, import.meta.url).href
}

/** `not installed: NAME`; undefined when it can run. */
export function missingTool(name: string): string | undefined {
  const missing = (entriesByTool.get(name)?.packages ?? []).filter((package_) => !isPackageInstalled(package_))
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`
}
