import { encodeHex } from '../../../src/base/bytes.ts'
import { filesType } from '../../../src/drive/files-type.ts'
import { actionsOf } from '../../../src/drive/plan/actions.ts'
import type { Action, Obstacle } from '../../../src/drive/plan/action.ts'
import { changesOf } from '../../../src/drive/plan/changes.ts'
import type { Changes } from '../../../src/drive/plan/changes.ts'
import { isAside } from '../../../src/drive/plan/item.ts'
import type { Agreed, Files, FilesOperation } from '../../../src/drive/plan/item.ts'
import { layoutOf } from '../../../src/drive/plan/layout.ts'
import type { Layout, LayoutOptions } from '../../../src/drive/plan/layout.ts'
import type { Disk } from '../../../src/drive/plan/match.ts'
import { keptSteps, publication, unpublished } from '../../../src/drive/plan/publication.ts'
import { isCurrent, settle } from '../../../src/drive/plan/settle.ts'
import { allAtOnce } from '../../../src/drive/plan/steps.ts'
import { Site } from '../../crdt/history.ts'
import type { Sent } from '../../crdt/history.ts'
import { MemoryDisk, rootOf } from './memory-disk.ts'
import type { MemoryDiskOptions } from './memory-disk.ts'

/** The rare branches that worlds have to reach. */
export const driveMarks = [
  'action refused: something else was there',
  'conflict at the end',
  'directories of one name as one',
  'ended while it published',
  'ended while it rearranged',
  'entries of one content as one',
  'found as it should be, and agreed on',
  'kept from one who had not seen that',
  'left out here',
  'moved against a deletion, and said once more',
  'not put where something is in the way',
  'only the spelling changed',
  'own change of a receiver overwritten',
  'put aside',
  'refused: a name or link that leads out',
  'spelled otherwise here',
  'version beside another one made an entry',
] as const

export type DriveMark = (typeof driveMarks)[number]

/** What all machines of a world share: what was said, and what contents there are. */
export class World {
  readonly sent: Sent<FilesOperation>[] = []
  readonly #contentByRoot = new Map<string, string>()
  readonly counts: Map<DriveMark, number> = new Map()

  count(mark: DriveMark, count = 1): void {
    this.counts.set(mark, (this.counts.get(mark) ?? 0) + count)
  }

  add(content: string): void {
    this.#contentByRoot.set(encodeHex(rootOf(content)), content)
  }

  contentOf(root: Uint8Array): string {
    const content = this.#contentByRoot.get(encodeHex(root))
    if (content === undefined) throw new Error('a content that nobody has written')
    return content
  }
}

export interface MachineOptions extends LayoutOptions {
  readonly disk?: MemoryDiskOptions
  /** It reads, and may say nothing. */
  readonly isReceiver?: boolean
}

/** Called between any two steps; true ends the process there. */
export type Pause = () => boolean

/** One machine with a folder and a replica of the tree. */
export class Machine {
  readonly disk: MemoryDisk
  readonly site: Site<Files, FilesOperation>
  readonly #world: World
  readonly #options: MachineOptions
  agreement: ReadonlyMap<string, Agreed> = new Map()
  /**
   * Contents that a process put somewhere, or aside, which ended before it could write that down: the next one takes that for its user's
   * doing.
   */
  readonly forgotten: Set<string> = new Set()
  /** What the last plan could not do. */
  obstacles: readonly Obstacle[] = []

  constructor(world: World, number: number, options: MachineOptions = {}) {
    this.#world = world
    this.#options = options
    this.disk = new MemoryDisk(BigInt(number) * 1_000_000_000_000n + 1_795_000_000_000_000_000n, options.disk ?? {})
    this.site = new Site(filesType, number)
  }

  /** Looks at the folder and says what has changed there. False when it ended before it could write down what it has said. */
  publish(pause: Pause = () => false, options: { readonly allowDeletions?: boolean } = {}): Changes | undefined {
    const { view } = this.site.value
    const input = { agreement: this.agreement, disk: this.disk.scan(), view, layout: layoutOf(view, this.#options) }
    const changes = changesOf({ ...input, isMarked: true, writer: this.site.writer, ...options })
    for (const { kind } of changes.list) {
      if (kind === 'detach') this.#world.count('version beside another one made an entry')
      if (kind === 'restate') this.#world.count('moved against a deletion, and said once more')
    }
    for (const { path, version, claims } of input.layout.items.values()) {
      const isDirectory = version.kind === 'directory'
      if (claims.length > 1)
        this.#world.count(isDirectory ? 'directories of one name as one' : 'entries of one content as one')
      const isAdopted = !this.agreement.has(path) && changes.kept.some((agreed) => agreed.path === path)
      if (isAdopted) this.#world.count('found as it should be, and agreed on')
    }
    if (this.isReceiver) {
      this.agreement = unpublished(changes, allAtOnce(keptSteps(changes)))
      return changes
    }
    const steps = publication(changes, this.site.value)
    let step = steps.next()
    while (step.done !== true) {
      const sent = this.site.write(step.value)
      this.#world.sent.push(sent)
      if (pause()) {
        this.#world.count('ended while it published')
        return undefined
      }
      step = steps.next(sent.dot)
    }
    this.agreement = step.value
    return changes
  }

  /** What is not known any more to have been put there by plait might be a user's: nothing is deleted on doubt. */
  #forget(agreement: ReadonlyMap<string, Agreed>): void {
    for (const [path, agreed] of agreement) {
      const known = this.agreement.get(path)
      if (known === agreed) continue
      this.disk.markOwn(path)
      for (const one of [agreed, known]) if (one !== undefined) this.forgotten.add(encodeHex(one.version.root))
    }
  }

  get isReceiver(): boolean {
    return this.#options.isReceiver === true
  }

  get ignores(): boolean {
    return this.#options.disk?.isIgnored !== undefined
  }

  get folds(): boolean {
    return this.#options.fold !== undefined
  }

  layout(): Layout {
    return layoutOf(this.site.value.view, this.#options)
  }

  #countOf(list: readonly Action[], layout: Layout, disk: Disk): void {
    const { fold } = this.#options
    for (const action of list) {
      if (fold !== undefined && action.path.includes('(other spelling')) this.#world.count('spelled otherwise here')
      if (action.kind === 'move' && action.from !== action.path && fold?.(action.from) === fold?.(action.path))
        if (fold !== undefined) this.#world.count('only the spelling changed')
      if (this.isReceiver && action.kind !== 'move' && 'expected' in action && action.expected !== undefined)
        if (!this.agreement.has(action.path)) this.#world.count('own change of a receiver overwritten')
    }
    for (const path of layout.items.keys()) if (!disk.isSeen(path)) this.#world.count('left out here')
  }

  /** Brings the folder to what the tree says. False when it ended on the way: what it has done last it has not written down. */
  apply(pause: Pause = () => false, forget = 0): readonly Action[] | undefined {
    const disk = this.disk.scan()
    const layout = layoutOf(this.site.value.view, this.#options)
    const { view } = this.site.value
    const { isReceiver } = this
    const { fold } = this.#options
    const input = { agreement: this.agreement, disk, layout, view, isReceiver, ...(fold === undefined ? {} : { fold }) }
    const { list, obstacles } = actionsOf({ ...input, allowDeletions: true })
    this.obstacles = obstacles
    if (obstacles.length > 0) this.#world.count('not put where something is in the way')
    this.#countOf(list, layout, disk)
    const agreements: ReadonlyMap<string, Agreed>[] = [this.agreement]
    const agreement = new Map(this.agreement)
    for (const action of list) {
      if (pause()) {
        this.#world.count('ended while it rearranged')
        this.agreement = agreements.at(-1 - forget) ?? (agreements[0] as ReadonlyMap<string, Agreed>)
        if (isReceiver) this.#forget(agreement)
        return undefined
      }
      const isReady = isCurrent(agreement, action)
      const facts = isReady && this.disk.carryOut(action, (root) => this.#world.contentOf(root))
      if (facts === false) this.#world.count('action refused: something else was there')
      else settle(agreement, action, facts)
      if (action.kind === 'move' && isAside(action.path)) this.#world.count('put aside')
      agreements.push(new Map(agreement))
      if (agreements.length > 4) agreements.shift()
    }
    this.agreement = agreement
    return list
  }
}
