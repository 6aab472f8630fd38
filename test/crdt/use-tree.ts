import { formatDot } from '../../src/crdt/dot.ts'
import type { Dot } from '../../src/crdt/dot.ts'
import { lwwRegister } from '../../src/crdt/lww-register.ts'
import type { LwwRegister } from '../../src/crdt/lww-register.ts'
import type { RegisterOperation } from '../../src/crdt/mv-register.ts'
import { tree } from '../../src/crdt/tree.ts'
import type { Tree } from '../../src/crdt/tree.ts'
import type { Placement } from '../../src/crdt/tree-node.ts'
import type { TreeEntry } from '../../src/crdt/tree-view.ts'
import type { TreeOperation } from '../../src/crdt/tree-operation.ts'
import { textValue } from '../../src/crdt/value-type.ts'
import type { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { follows } from './history.ts'
import type { Sent, Use } from './history.ts'

export type Files = Tree<LwwRegister<string>, RegisterOperation<string>>
export type FilesOperation = TreeOperation<RegisterOperation<string>>

const fileNames: readonly string[] = ['a', 'b', '__proto__']

export const useTree: Use<Files, FilesOperation> = {
  type: tree(lwwRegister(textValue())),
  prepare(random, files) {
    const ids = idsOf(files)
    const name = random.pick(fileNames)
    if (ids.length < 2 || random.chance(0.25)) {
      const parent = pickOrTop(random, ids)
      if (random.chance(0.5)) return files.create(parent, name)
      return files.make(parent, name, (content) => content.set(random.pick(fileNames)))
    }
    const id = random.pick(ids)
    if (random.chance(0.25)) return files.delete(id)
    if (random.chance(0.2)) return files.edit(id, (content) => content.set(random.pick(fileNames)))
    const target = pickOrTop(random, ids)
    const isBelow = target !== undefined && ancestors(files, target).includes(formatDot(id))
    return files.move(id, isBelow ? undefined : target, name)
  },
  listen() {
    const alive = new Set<string>()
    const places = new Map<string, string>()
    return {
      hear({ path, kind, value }) {
        const id = formatDot(path[0] as Dot)
        if (kind === 'added') alive.add(id)
        if (kind === 'removed') alive.delete(id)
        if (kind === 'placed') places.set(id, placeText(value as Placement))
      },
      check(files) {
        const entries = idsOf(files).map((id) => files.view.find(files.view.path(id) ?? []) as TreeEntry<unknown>)
        const shown = entries.filter(({ isAlive }) => isAlive).map(({ id }) => formatDot(id))
        if (shown.sort().join() !== [...alive].sort().join()) throw new Error('other entries than were heard of')
        for (const { id, parent, name } of entries) {
          const heard = places.get(formatDot(id)) ?? ''
          const [above, called] = heard.split('/')
          if (above !== (parent === undefined ? '' : formatDot(parent)) || !name.startsWith(called ?? '/'))
            throw new Error(`${formatDot(id)} was heard to stand at ${heard}`)
        }
      },
    }
  },
  check: checkTree,
}

function placeText({ parent, name }: Placement): string {
  return `${parent === undefined ? '' : formatDot(parent)}/${name}`
}

/** All entries that are shown. */
export function idsOf(files: Files, parent?: Dot): readonly Dot[] {
  return [...files.view.children(parent).values()].flatMap(({ id }) => [id, ...idsOf(files, id)])
}

/** The tree is what one gets by carrying out all placements in order, nothing is lost, and each name leads to one entry. */
export function checkTree(files: Files, all: readonly Sent<FilesOperation>[]): void {
  const places = placesOf(all)
  let shown = 0
  for (const id of places.keys()) {
    const isAlive = all.some((sent) => idOf(sent) === id && sent.operation.kind !== 'remove' && !isRemoved(sent, all))
    const dot = all.map((sent) => sent.dot).find((one) => formatDot(one) === id) as Dot
    const path = files.view.path(dot)
    if (!isAlive) continue
    shown += 1
    if (path === undefined) throw new Error(`${id} is lost`)
    const entry = files.view.find(path)
    if (entry === undefined || formatDot(entry.id) !== id) throw new Error(`${path.join('/')} is not ${id}`)
    if (!entry.isAlive) throw new Error(`${id} is not alive`)
    const parent = entry.parent === undefined ? '' : formatDot(entry.parent)
    if (parent !== places.get(id)?.parent)
      throw new Error(`${id} stands in ${parent}, not in ${places.get(id)?.parent}`)
    const name = places.get(id)?.name ?? ''
    if (entry.name !== name && !entry.name.startsWith(`${name}~`)) throw new Error(`${id} is called ${entry.name}`)
  }
  if (files.view.size !== shown) throw new Error(`${files.view.size} entries are alive, not ${shown}`)
  if (files.view.lost().length > 0) throw new Error('entries that stand nowhere')
}

function placesOf(all: readonly Sent<FilesOperation>[]): ReadonlyMap<string, { parent: string; name: string }> {
  const placements = all.flatMap(({ operation, dot }) => ('time' in operation ? [{ ...operation, dot }] : []))
  placements.sort((left, right) => left.time - right.time || (left.dot.writer < right.dot.writer ? -1 : 1))
  const places = new Map<string, { parent: string; name: string }>()
  for (const { kind, parent, name, dot, ...rest } of placements) {
    const id = formatDot(kind === 'move' ? (rest as { id: Dot }).id : dot)
    const target = parent === undefined ? '' : formatDot(parent)
    let above = target
    while (above !== '' && above !== id) above = places.get(above)?.parent ?? ''
    if (above !== id) places.set(id, { parent: target, name })
  }
  return places
}

function idOf({ operation, dot }: Sent<FilesOperation>): string {
  return formatDot('id' in operation ? operation.id : dot)
}

function isRemoved(sent: Sent<FilesOperation>, all: readonly Sent<FilesOperation>[]): boolean {
  return all.some((other) => other.operation.kind === 'remove' && idOf(other) === idOf(sent) && follows(other, sent))
}

function pickOrTop(random: SeededRandom, ids: readonly Dot[]): Dot | undefined {
  return ids.length === 0 || random.chance(0.3) ? undefined : random.pick(ids)
}

/** The entry itself, and those that it stands in. */
function ancestors(files: Files, id: Dot): readonly string[] {
  const path = files.view.path(id) ?? []
  return path.flatMap((_name, depth) => {
    const entry = files.view.find(path.slice(0, depth + 1))
    return entry === undefined ? [] : [formatDot(entry.id)]
  })
}
