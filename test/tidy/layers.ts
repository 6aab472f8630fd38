/** The folders of `src/`, in order: a folder imports only from those before it. */
export const layers = [
  'base',
  'runtime',
  'wire',
  'identity',
  'crdt',
  'store',
  'link',
  'session',
  'circuit',
  'node',
  'discovery',
  'message',
  'broadcast',
  'feed',
  'causal',
  'drive',
  'metrics',
  'cli',
  'testing',
] as const

export type Layer = (typeof layers)[number]

/** The last two, which may be built on everything else; nothing imports `cli`, and only `cli` imports `testing`. */
const ends: readonly Layer[] = ['cli', 'testing']

/** What each layer may import from, besides itself. */
export const importableByLayer: ReadonlyMap<Layer, readonly Layer[]> = new Map(
  layers.map((layer, index) => [layer, importable(layer, index)]),
)

function importable(layer: Layer, index: number): readonly Layer[] {
  if (layer === 'cli') return layers.filter((other) => other !== 'cli')
  if (layer === 'testing') return layers.filter((other) => !ends.includes(other))
  return layers.slice(0, index)
}

/**
 * Doors: the only places that may touch what a browser, a simulation or a second machine would have otherwise. Each is a path
 * below the root; a folder stands for all that is in it.
 */
export const doors = {
  /** May import `node:` modules. */
  node: [
    'src/runtime/system',
    'src/link/tcp',
    'src/identity',
    'src/store/node',
    'src/message/compression',
    'src/feed/node',
    'src/drive/disk',
    'src/drive/folder',
    'src/drive/content/node',
    'src/metrics/http',
    'src/cli',
  ],
  /** May use time, timers, chance and `process` directly. */
  system: ['src/runtime/system', 'src/identity', 'src/cli'],
} as const

/** Time, timers, chance and the process: behind `runtime/`, so that a simulation owns them. */
export const systemGlobals = [
  'Date',
  'performance',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'queueMicrotask',
  'process',
  'crypto',
  'globalThis',
] as const

/** Node's own globals: `Uint8Array`, and the exceptions of `base/`, do the same everywhere. */
export const nodeGlobals = ['Buffer', 'require', '__dirname', '__filename', 'global'] as const

/** `object.property`, banned together with `systemGlobals`. */
export const systemProperties = [
  { object: 'Math', property: 'random' },
  { object: 'AbortSignal', property: 'timeout' },
] as const

export const fileLinesMax = 500
export const functionLinesMax = 70
