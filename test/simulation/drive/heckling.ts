import { emptyBytes } from '../../../src/base/bytes.ts'
import type { Dot } from '../../../src/crdt/dot.ts'
import type { FilesOperation } from '../../../src/drive/plan/item.ts'
import type { Version } from '../../../src/drive/version.ts'
import type { SeededRandom } from '../../../src/runtime/simulated/random.ts'
import type { Machine, World } from './machine.ts'
import { rootOf } from './memory-disk.ts'

/** Names that no honest program gives, and that lead elsewhere where they are taken for paths, here or on other systems. */
const names: readonly string[] = [
  '..',
  '.',
  '/etc',
  '../x',
  'a/../../x',
  'a/b',
  'x\\y',
  'x\0',
  '.plait',
  '.PLAIT',
  'n'.repeat(256),
]

/** Links that lead out of the folder wherever they stand, or might. */
const targets: readonly string[] = ['/etc', `${'../'.repeat(64)}x`, 'a/../../x', '', 'x\0']

const content = 'hostile'

/**
 * A member says something that the folders of the others must not take: an entry with such a name, perhaps with something in it, or such a
 * link.
 */
export function heckle(random: SeededRandom, world: World, machine: Machine): void {
  world.add(content)
  const directories = [...machine.agreement.values()].filter(({ version }) => version.kind === 'directory')
  const parent = random.chance(0.5) || directories.length === 0 ? undefined : random.pick(directories).claims[0]?.id
  const name = random.pick(names)
  if (random.chance(0.3)) put(world, machine, parent, 'l', linkTo(random.pick(targets)))
  else if (random.chance(0.5)) put(world, machine, parent, name, file)
  else put(world, machine, put(world, machine, parent, name, directory), 'x', file)
}

function put(world: World, { site }: Machine, parent: Dot | undefined, name: string, version: Version): Dot {
  const write = (operation: FilesOperation): Dot => {
    const sent = site.write(operation)
    world.sent.push(sent)
    return sent.dot
  }
  const { time } = site.value.create(undefined, 'x') as { readonly time: number }
  const id = write({ kind: 'create', parent, name, time })
  write({ kind: 'edit', id, operation: { kind: 'write', value: version, time: 1, dots: [] } })
  return id
}

const directory: Version = { kind: 'directory', mode: 0o755, mtimeNs: 1n, size: 0, root: emptyBytes, target: '' }
const file: Version = { ...directory, kind: 'file', size: content.length, root: rootOf(content) }

function linkTo(target: string): Version {
  return { ...directory, kind: 'link', target }
}
