import { isPackageInstalled } from '../harness/missing.ts'

interface Entry {
  /** From this folder. */
  readonly module: string
  readonly packages: readonly string[]
  /** Pairs of an addition and a removal that are timed in a set of so many elements. */
  pairs(elements: number): number
}

const pairsMost = 1_000

/** In the order of the table. */
const entriesByTool = new Map<string, Entry>([
  ['plait', { module: '../peers/plait/set-tool.ts', packages: [], pairs: () => pairsMost }],
  ['yjs', { module: 'yjs.ts', packages: ['yjs'], pairs: () => pairsMost }],
  [
    'automerge',
    {
      module: 'automerge.ts',
      packages: ['@automerge/automerge'],
      // Each change copies the map that a user sees, which takes seconds when it is large.
      pairs: (elements) => Math.min(pairsMost, Math.max(4, Math.round(1_000_000 / elements))),
    },
  ],
])

export const setToolNames: readonly string[] = [...entriesByTool.keys()]
export const us = 'plait'
export const rivals: readonly string[] = setToolNames.filter((name) => name !== us)

export function setToolModule(name: string): string {
  return new URL(entryOf(name).module, import.meta.url).href
}

/** The package whose version `package.json` pins; undefined for plait. */
export function rivalPackage(name: string): string | undefined {
  return entryOf(name).packages[0]
}

export function pairsOf(name: string, elements: number): number {
  return entryOf(name).pairs(elements)
}

/** `not installed: NAME`; undefined when it can run. */
export function missingSetTool(name: string): string | undefined {
  const missing = entryOf(name).packages.filter((package_) => !isPackageInstalled(package_))
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`
}

function entryOf(name: string): Entry {
  const entry = entriesByTool.get(name)
  if (entry === undefined) throw new Error(`there is no ${name}`)
  return entry
}
