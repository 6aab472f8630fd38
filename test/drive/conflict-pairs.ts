import { writer } from '../crdt/history.ts'
import { foldCase } from '../../src/drive/plan/layout.ts'
import { Machine, World } from '../simulation/drive/machine.ts'
import type { MemoryDisk } from '../simulation/drive/memory-disk.ts'

/** In the order of the table. */
export const kinds = ['create', 'edit', 'mode', 'move', 'delete'] as const
export type Kind = (typeof kinds)[number]

type Step = (disk: MemoryDisk, write: (path: string, content: string) => void) => void

/**
 * What two do in folders that were the same, before they hear of each other, and what both folders are after that, whoever is heard first.
 */
export interface Pair {
  readonly left: readonly [kind: Kind, what: string, Step]
  readonly right: readonly [kind: Kind, what: string, Step]
  readonly what: string
  readonly folder: string
  /** Of the second one, when its disk does not tell `A` from `a`. */
  readonly folded?: string
}

/** The folder with which both begin. */
export const start = 'd/, d/x: x, f: f, g: g'

const editF = (by: string): Pair['left'] => ['edit', 'edits `f`', (_disk, write) => write('f', `f of ${by}`)]
const deleteF: Pair['left'] = ['delete', 'deletes `f`', (disk) => disk.remove('f')]
const deleteD: Pair['left'] = ['delete', 'deletes `d`', (disk) => disk.remove('d')]
const moveF = (to: string): Pair['left'] => ['move', `moves \`f\` to \`${to}\``, (disk) => disk.move('f', to)]
const moveD = (to: string): Pair['left'] => ['move', `moves \`d\` to \`${to}\``, (disk) => disk.move('d', to)]
const makeN = (content: string): Pair['left'] => [
  'create',
  `makes the file \`n\` with ${content}`,
  (_disk, write) => write('n', content),
]
const makeDirectoryN = (below: string): Pair['left'] => [
  'create',
  `makes the directory \`n\` with \`${below}\` in it`,
  (disk, write) => {
    disk.makeDirectory('n')
    write(`n/${below}`, below)
  },
]
const modeF = (mode: number): Pair['left'] => [
  'mode',
  `gives \`f\` the mode ${mode.toString(8)}`,
  (disk) => disk.changeMode('f', mode),
]

export const pairs: readonly Pair[] = [
  {
    left: makeN('one'),
    right: makeN('two'),
    what: 'both stay; who has the name is the same everywhere',
    folder: 'd/, d/x: x, f: f, g: g, n: one, n (conflict of BOB): two',
  },
  { left: makeN('one'), right: makeN('one'), what: 'one file', folder: 'd/, d/x: x, f: f, g: g, n: one' },
  {
    left: makeDirectoryN('p'),
    right: makeDirectoryN('q'),
    what: 'one directory with what is in either',
    folder: 'd/, d/x: x, f: f, g: g, n/, n/p: p, n/q: q',
  },
  {
    left: makeN('one'),
    right: makeDirectoryN('q'),
    what: 'the directory has the name, since all in it has it in its path; the file stands beside it',
    folder: 'd/, d/x: x, f: f, g: g, n/, n (conflict of ANN): one, n/q: q',
  },
  {
    left: ['create', 'makes the file `A`', (_disk, write) => write('A', 'one')],
    right: ['create', 'makes the file `a`', (_disk, write) => write('a', 'two')],
    what: 'two files; where the disk cannot tell their names apart one is shown under another name, there only',
    folder: 'A: one, a: two, d/, d/x: x, f: f, g: g',
    folded: 'A: one, a (other spelling): two, d/, d/x: x, f: f, g: g',
  },
  {
    left: ['create', 'makes the file `d/n`', (_disk, write) => write('d/n', 'one')],
    right: moveD('e'),
    what: 'the file is in the moved directory',
    folder: 'e/, e/n: one, e/x: x, f: f, g: g',
  },
  {
    left: ['create', 'makes the file `d/n`', (_disk, write) => write('d/n', 'one')],
    right: deleteD,
    what: 'the directory stays, with what the other had not seen',
    folder: 'd/, d/n: one, f: f, g: g',
  },
  {
    left: makeN('one'),
    right: moveF('n'),
    what: 'both stay',
    folder: 'd/, d/x: x, g: g, n: one, n (conflict of ANN): f',
  },
  {
    left: editF('ann'),
    right: editF('bob'),
    what: 'both versions stay, until somebody edits, renames or deletes one of them',
    folder: 'd/, d/x: x, f: f of bob, f (conflict of ANN): f of ann, g: g',
  },
  {
    left: ['edit', 'edits `f` to the same', (_disk, write) => write('f', 'same')],
    right: ['edit', 'edits `f` to the same', (_disk, write) => write('f', 'same')],
    what: 'no conflict',
    folder: 'd/, d/x: x, f: same, g: g',
  },
  {
    left: editF('ann'),
    right: modeF(0o600),
    what: 'both versions stay: the mode is that of a version',
    folder: 'd/, d/x: x, f (600): f, f (conflict of ANN): f of ann, g: g',
  },
  { left: editF('ann'), right: moveF('h'), what: 'both', folder: 'd/, d/x: x, g: g, h: f of ann' },
  { left: editF('ann'), right: deleteF, what: 'the edit stays', folder: 'd/, d/x: x, f: f of ann, g: g' },
  {
    left: ['edit', 'edits `d/x`', (_disk, write) => write('d/x', 'x of ann')],
    right: deleteD,
    what: 'the directory stays, with the file that was edited',
    folder: 'd/, d/x: x of ann, f: f, g: g',
  },
  {
    left: modeF(0o600),
    right: modeF(0o755),
    what: 'the mode with the higher (Lamport time, dot)',
    folder: 'd/, d/x: x, f (755): f, g: g',
  },
  { left: modeF(0o600), right: moveF('h'), what: 'both', folder: 'd/, d/x: x, g: g, h (600): f' },
  { left: modeF(0o600), right: deleteF, what: 'the file stays', folder: 'd/, d/x: x, f (600): f, g: g' },
  {
    left: moveF('h'),
    right: moveF('i'),
    what: 'one file, under the name with the higher (Lamport time, dot)',
    folder: 'd/, d/x: x, g: g, i: f',
  },
  {
    left: moveF('h'),
    right: ['move', 'moves `g` to `h`', (disk) => disk.move('g', 'h')],
    what: 'both stay',
    folder: 'd/, d/x: x, h: f, h (conflict of ANN): g',
  },
  {
    left: [
      'move',
      'swaps `f` and `g`',
      (disk) => {
        disk.move('f', 't')
        disk.move('g', 'f')
        disk.move('t', 'g')
      },
    ],
    right: editF('bob'),
    what: 'the edit goes with its file',
    folder: 'd/, d/x: x, f: g, g: f of bob',
  },
  {
    left: [
      'move',
      'puts `d` into a new directory `e`',
      (disk) => {
        disk.makeDirectory('e')
        disk.move('d', 'e/d')
      },
    ],
    right: ['move', 'moves `f` into `d`', (disk) => disk.move('f', 'd/f')],
    what: 'both',
    folder: 'e/, e/d/, e/d/f: f, e/d/x: x, g: g',
  },
  { left: moveF('h'), right: deleteF, what: 'the file stays, moved', folder: 'd/, d/x: x, g: g, h: f' },
  {
    left: moveD('e'),
    right: deleteD,
    what: 'the directory stays, without what the other had seen in it; that is in the history',
    folder: 'e/, f: f, g: g',
  },
  {
    left: ['move', 'moves `d/x` to `x`', (disk) => disk.move('d/x', 'x')],
    right: deleteD,
    what: 'the file stays, where it was moved to',
    folder: 'f: f, g: g, x: x',
  },
  { left: moveF('d/f'), right: deleteD, what: 'the directory stays, with the file', folder: 'd/, d/f: f, g: g' },
  { left: deleteF, right: deleteF, what: 'it is gone', folder: 'd/, d/x: x, g: g' },
]

/** Both folders after a pair; throws when they are not the same, or not the same whoever is heard first. */
export function outcome(pair: Pair): string {
  const results = new Set([0, 1].map((first) => play(pair, first, false)))
  if (results.size !== 1) throw new Error(`it depends on the order: ${[...results].join(' / ')}`)
  return [...results][0] as string
}

/** The second folder, on a disk that does not tell letters of either case apart. */
export function foldedOutcome(pair: Pair): string {
  return play(pair, 0, true)
}

function play(pair: Pair, first: number, isFolded: boolean): string {
  const world = new World()
  const peerName = (name: string): string => (name === writer(1) ? 'ANN' : 'BOB')
  const [ann, bob] = [
    new Machine(world, 1, { peerName }),
    new Machine(world, 2, { peerName, ...(isFolded ? { fold: foldCase } : {}) }),
  ] as const
  const writing =
    ({ disk }: Machine) =>
    (path: string, content: string): void => {
      world.add(content)
      disk.write(path, content)
    }
  ann.disk.makeDirectory('d')
  for (const [path, content] of [
    ['d/x', 'x'],
    ['f', 'f'],
    ['g', 'g'],
  ] as const)
    writing(ann)(path, content)
  settle(world, [ann, bob])
  if (describe(bob) !== start) throw new Error(`it begins with ${describe(bob)}`)
  pair.left[2](ann.disk, writing(ann))
  pair.right[2](bob.disk, writing(bob))
  settle(world, first === 0 ? [ann, bob] : [bob, ann])
  if (!isFolded && describe(ann) !== describe(bob)) throw new Error(`${describe(ann)} is not ${describe(bob)}`)
  return describe(bob)
}

/** Each says what has changed before anybody hears of it; then all hear all, until nothing changes any more. */
function settle(world: World, machines: readonly Machine[]): void {
  for (const machine of machines) machine.publish(undefined, { allowDeletions: true })
  for (let round = 0; round < 4; round += 1)
    for (const machine of machines) {
      machine.publish(undefined, { allowDeletions: true })
      for (const sent of world.sent) if (machine.site.canTake(sent)) machine.site.deliver(sent)
      machine.apply()
    }
}

function describe({ disk }: Machine): string {
  return disk
    .outline()
    .filter((line) => !line.startsWith('.plait'))
    .map((line): readonly [string, string] => {
      const [, path = '', isFolder, mode, content] = /^(.*?)(\/?) (\d{3})(?: \d+ (.*))?$/.exec(line) ?? []
      const name = path.replace(/, \d{4}-\d\d-\d\d \d\d\.\d\d/, '')
      if (isFolder === '/') return [name, `${name}/`]
      return [name, `${name}${mode === '644' ? '' : ` (${mode})`}: ${content}`]
    })
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, text]) => text)
    .join(', ')
}
