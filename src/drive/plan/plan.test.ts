import { describe, expect, it } from 'vitest'
import { Machine, World } from '../../../test/simulation/drive/machine.ts'
import { actionsOf } from './actions.ts'
import { changesOf } from './changes.ts'
import type { Changes, ChangesInput } from './changes.ts'
import { conflictName } from './conflict-name.ts'
import { foldCase, layoutOf } from './layout.ts'

function worldWith(files: number): { readonly world: World; readonly ann: Machine; readonly bob: Machine } {
  const world = new World()
  const [ann, bob] = [new Machine(world, 1), new Machine(world, 2)] as const
  ann.disk.makeDirectory('d')
  for (let count = 0; count < files; count += 1) write(world, ann, `d/${count}`, `content ${count}`)
  exchange(world, ann, bob)
  return { world, ann, bob }
}

function write(world: World, machine: Machine, path: string, content: string): void {
  world.add(content)
  machine.disk.write(path, content)
}

function exchange(world: World, ...machines: readonly Machine[]): void {
  for (let round = 0; round < 2; round += 1)
    for (const machine of machines) {
      machine.publish()
      for (const sent of world.sent) if (machine.site.canTake(sent)) machine.site.deliver(sent)
      machine.apply()
    }
}

function changesAt(machine: Machine, options: Partial<ChangesInput> = {}): Changes {
  const { value, writer } = machine.site
  const { agreement, disk } = machine
  const layout = layoutOf(value.view)
  return changesOf({ agreement, disk: disk.scan(), view: value.view, layout, isMarked: true, writer, ...options })
}

describe('deletions', () => {
  it('are not believed in a folder without its marker, or without anything', () => {
    const { ann } = worldWith(3)
    expect(changesAt(ann, { isMarked: false })).toMatchObject({ list: [], hold: { reason: 'marker-gone' } })
    expect(changesAt(ann, { isMarked: false, allowDeletions: true })).toMatchObject({ hold: { reason: 'marker-gone' } })
    ann.disk.remove('d')
    const { list, kept, hold } = changesAt(ann)
    expect([list, kept.length, hold]).toEqual([[], 4, { reason: 'empty', files: 3 }])
    expect(changesAt(ann, { allowDeletions: true }).list).toHaveLength(4)
  })

  it('are asked about when they are many and most, and the rest is done', () => {
    const { world, ann } = worldWith(20)
    for (let count = 0; count < 10; count += 1) ann.disk.remove(`d/${count}`)
    expect(changesAt(ann).list).toHaveLength(10)
    ann.disk.remove('d/10')
    write(world, ann, 'new', 'new')
    const { list, hold } = changesAt(ann)
    expect(list.map(({ kind }) => kind)).toEqual(['create'])
    expect(hold).toEqual({ reason: 'many-deletions', deleted: 11, files: 20 })
    expect(changesAt(ann, { allowDeletions: true }).list).toHaveLength(12)
  })

  it('are asked about when they come in portions', () => {
    const { ann } = worldWith(20)
    for (let count = 0; count < 7; count += 1) ann.disk.remove(`d/${count}`)
    expect(changesAt(ann, { recentDeletions: 6 })).toMatchObject({ hold: undefined })
    expect(changesAt(ann, { recentDeletions: 7 })).toMatchObject({
      list: [],
      hold: { reason: 'many-deletions', deleted: 14, files: 27 },
    })
  })

  it('that are asked about bring nothing back meanwhile', () => {
    const { world, ann, bob } = worldWith(20)
    for (let count = 0; count < 12; count += 1) ann.disk.remove(`d/${count}`)
    exchange(world, ann, bob)
    expect(ann.disk.paths('file')).toHaveLength(8)
    expect(bob.disk.paths('file')).toHaveLength(20)
    ann.publish(undefined, { allowDeletions: true })
    exchange(world, ann, bob)
    expect(bob.disk.paths('file')).toHaveLength(8)
  })

  it('of what was not looked at are none', () => {
    const { ann } = worldWith(3)
    ann.disk.remove('d/1')
    const disk = { ...ann.disk.scan(), isSeen: (path: string): boolean => path !== 'd/1' }
    expect(changesAt(ann, { disk }).list).toEqual([])
  })

  it('from elsewhere are asked about as well', () => {
    const { world, ann, bob } = worldWith(20)
    for (let count = 0; count < 12; count += 1) ann.disk.remove(`d/${count}`)
    ann.publish(undefined, { allowDeletions: true })
    for (const sent of world.sent) if (bob.site.canTake(sent)) bob.site.deliver(sent)
    const { view } = bob.site.value
    const plan = { agreement: bob.agreement, disk: bob.disk.scan(), layout: layoutOf(view), view }
    expect(actionsOf(plan)).toMatchObject({ list: [], hold: { reason: 'many-deletions', deleted: 12, files: 20 } })
    expect(actionsOf({ ...plan, allowDeletions: true }).list).toHaveLength(12)
  })
})

describe('a process that ends after it has published', () => {
  it('is in no conflict with itself when the file is changed again', () => {
    const { world, ann, bob } = worldWith(1)
    write(world, ann, 'd/0', 'published and forgotten')
    expect(ann.publish(() => true)).toBeUndefined()
    write(world, ann, 'd/0', 'later')
    exchange(world, ann, bob)
    for (const { disk } of [ann, bob]) expect(disk.paths('file').map((path) => disk.content(path))).toEqual(['later'])
  })

  it('publishes nothing twice', () => {
    const { world, ann, bob } = worldWith(1)
    write(world, ann, 'd/0', 'edited')
    write(world, ann, 'new', 'new')
    let steps = 0
    expect(ann.publish(() => (steps += 1) === 2)).toBeUndefined()
    const { length } = world.sent
    exchange(world, ann, bob)
    expect(world.sent).toHaveLength(length)
    expect(bob.disk.paths('file').map((path) => bob.disk.content(path))).toEqual(['edited', 'new'])
  })
})

describe('a process that ends, and what was deleted or moved after that', () => {
  it('does not come again when an edit was published and forgotten', () => {
    const { world, ann, bob } = worldWith(2)
    write(world, ann, 'd/0', 'published and forgotten')
    expect(ann.publish(() => true)).toBeUndefined()
    ann.disk.remove('d/0')
    exchange(world, ann, bob)
    for (const { disk } of [ann, bob]) expect(disk.paths('file')).toEqual(['d/1'])
  })

  it('does not come again when a move was published and forgotten', () => {
    const { world, ann, bob } = worldWith(2)
    ann.disk.move('d/0', 'moved')
    expect(ann.publish(() => true)).toBeUndefined()
    ann.disk.remove('moved')
    exchange(world, ann, bob)
    for (const { disk } of [ann, bob]) expect(disk.paths('file')).toEqual(['d/1'])
    expect(ann.layout().items.has('moved')).toBe(false)
  })

  it('stays when it was edited in a directory of which only the move was written down', () => {
    const { world, ann, bob } = worldWith(1)
    write(world, ann, 'd/0', 'edited')
    expect(ann.publish(() => true)).toBeUndefined()
    ann.disk.move('d', 'e')
    expect(ann.publish(() => true)).toBeUndefined()
    exchange(world, ann, bob)
    for (const { disk } of [ann, bob]) expect([disk.paths(), disk.content('e/0')]).toEqual([['e', 'e/0'], 'edited'])
  })

  it('is not deleted elsewhere when it was taken away here because it is left out where it has been moved to', () => {
    const { world, ann } = worldWith(2)
    const bob = new Machine(world, 3, { disk: { isIgnored: (path) => path.startsWith('out') } })
    exchange(world, ann, bob)
    const before = bob.agreement
    ann.disk.move('d/0', 'out')
    exchange(world, ann, bob)
    expect(bob.disk.paths('file')).toEqual(['d/1'])
    bob.agreement = before
    expect(bob.publish()?.list).toEqual([])
    expect(bob.agreement.has('d/0')).toBe(false)
    expect(ann.disk.content('out')).toBe('content 0')
  })
})

describe('a folder that only receives', () => {
  it('has again what a process has put aside that ended then', () => {
    const { world, ann } = worldWith(1)
    const bob = new Machine(world, 3, { isReceiver: true })
    exchange(world, ann, bob)
    const agreed = bob.agreement.get('d/0')
    if (agreed === undefined) throw new Error('there is no file')
    const aside = { ...agreed, path: '.plait/aside/1' }
    bob.agreement = new Map([...bob.agreement, [aside.path, aside] as const].filter(([path]) => path !== 'd/0'))
    bob.disk.remove('d/0')
    exchange(world, ann, bob)
    expect(bob.disk.content('d/0')).toBe('content 0')
  })

  it('comes to rest when something waits in a directory that is deleted elsewhere', () => {
    const { world, ann } = worldWith(1)
    const bob = new Machine(world, 3, { isReceiver: true })
    exchange(world, ann, bob)
    bob.disk.makeDirectory('x')
    write(world, bob, 'x/own', 'of bob')
    ann.disk.move('d/0', 'x')
    ann.disk.remove('d')
    exchange(world, ann, bob)
    const reasons = bob.obstacles.map(({ path, reason }) => `${path} ${reason}`)
    expect([reasons, bob.apply(), bob.disk.content('d/0')]).toEqual([
      [
        'x cannot be put there: something is in the way that is not part of the drive',
        'd is deleted elsewhere, and stays here until what is in it can be put in its place',
      ],
      [],
      'content 0',
    ])
    bob.disk.remove('x')
    exchange(world, ann, bob)
    expect([bob.disk.paths(), bob.obstacles]).toEqual([['x'], []])
  })

  function receive(world: World, bob: Machine): readonly string[] {
    for (const sent of world.sent) if (bob.site.canTake(sent)) bob.site.deliver(sent)
    const { view } = bob.site.value
    const plan = { agreement: bob.agreement, disk: bob.disk.scan(), layout: layoutOf(view), view, isReceiver: true }
    return actionsOf(plan).list.map(({ kind, path }) => `${kind} ${path}`)
  }

  it('keeps its own changes until the same file changes elsewhere', () => {
    const { world, ann, bob } = worldWith(3)
    write(world, bob, 'd/0', 'of bob')
    write(world, bob, 'own', 'of bob too')
    bob.disk.remove('d/1')
    expect(receive(world, bob)).toEqual([])
    write(world, ann, 'd/0', 'of ann')
    write(world, ann, 'd/1', 'of ann too')
    write(world, ann, 'own', 'of ann as well')
    ann.publish()
    expect(receive(world, bob)).toEqual(['write d/0', 'write d/1', 'delete own', 'write own'])
  })
})

describe('a directory that is deleted elsewhere', () => {
  it('stays with what is in it and is left out here, and is what comes to have its name', () => {
    const { world, ann } = worldWith(1)
    const bob = new Machine(world, 3, { disk: { isIgnored: (path) => path.endsWith('.o') } })
    exchange(world, ann, bob)
    bob.disk.write('d/x.o', 'object')
    world.add('object')
    write(world, ann, 'e', 'so that not all is gone')
    ann.disk.remove('d')
    exchange(world, ann, bob)
    expect([bob.disk.paths(), bob.obstacles]).toEqual([
      ['d', 'd/x.o', 'e'],
      [{ path: 'd', reason: expect.stringMatching(/^is deleted elsewhere, and stays here/) }],
    ])
    // Nothing is tried again and again.
    expect([bob.publish()?.list, bob.apply()]).toEqual([[], []])
    ann.disk.makeDirectory('d')
    write(world, ann, 'd/new', 'new')
    exchange(world, ann, bob)
    expect([bob.disk.paths(), bob.obstacles]).toEqual([['d', 'd/x.o', 'd/new', 'e'], []])
    expect([bob.publish()?.list, bob.apply()]).toEqual([[], []])
  })
})

describe('names that no file can have', () => {
  it('are shown nowhere, by whatever name, with nothing that is in them', () => {
    const { world, ann } = worldWith(1)
    for (const name of ['d/x', '..', '..', '.plait', '.PLAIT', '']) {
      const { dot: id } = ann.site.write({ kind: 'create', parent: undefined, name, time: 9 })
      const version = {
        kind: 'directory',
        mode: 0o755,
        mtimeNs: 1n,
        size: 0,
        root: new Uint8Array(0),
        target: '',
      } as const
      ann.site.write({ kind: 'edit', id, operation: { kind: 'write', value: version, time: 1, dots: [] } })
      const { dot: below } = ann.site.write({ kind: 'create', parent: id, name: 'below', time: 10 })
      ann.site.write({ kind: 'edit', id: below, operation: { kind: 'write', value: version, time: 1, dots: [] } })
    }
    for (const fold of [undefined, foldCase]) {
      const { items, refused } = layoutOf(ann.site.value.view, fold === undefined ? {} : { fold })
      expect([[...items.keys()], refused.length]).toEqual([['d', 'd/0'], 5])
    }
    expect(world.sent).toHaveLength(2)
  })
})

describe('the name of a conflict', () => {
  it('says whose it is and when, before the extension', () => {
    const timeNs = 1_795_788_183_000_000_000n
    expect(conflictName('report.txt', 'ann/laptop', timeNs, 1)).toBe(
      'report (conflict of ann_laptop, 2026-11-27 14.03).txt',
    )
    expect(conflictName('.profile', 'ann', timeNs, 2)).toBe('.profile (conflict of ann, 2026-11-27 14.03, 2)')
    expect(conflictName('a', 'ann', -1n, 1)).toBe('a (conflict of ann, 1970-01-01 00.00)')
  })

  it('is no longer than a name may be', () => {
    const name = conflictName(`${'ä'.repeat(120)}.jpeg`, 'ann', 0n, 1)
    expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(255)
    expect(name).toMatch(/ä \(conflict of ann, 1970-01-01 00\.00\)\.jpeg$/)
  })
})
