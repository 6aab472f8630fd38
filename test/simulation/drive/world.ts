import { SeededRandom } from '../../../src/runtime/simulated/random.ts'
import { encodeHex } from '../../../src/base/bytes.ts'
import { childPath } from '../../../src/drive/tree-path.ts'
import type { Action } from '../../../src/drive/plan/action.ts'
import type { Changes } from '../../../src/drive/plan/changes.ts'
import { foldCase } from '../../../src/drive/plan/layout.ts'
import { heckle } from './heckling.ts'
import { Ledger } from './ledger.ts'
import type { Parting } from './ledger.ts'
import { Machine, World } from './machine.ts'
import type { DriveMark, MachineOptions, Pause } from './machine.ts'
import { rootOf } from './memory-disk.ts'
import { folderProblems, pathsOutside } from './verdict.ts'

const names: readonly string[] = ['a', 'b', 'c.txt', 'd']
/** Beside them in a world with a disk that folds names: two spellings of each. */
const spellings: readonly string[] = ['A', '\u00e9', 'e\u0301']

export type MachineKind = 'plain' | 'folds' | 'ignores' | 'receives'

const machineOptions: Readonly<Record<MachineKind, MachineOptions>> = {
  plain: {},
  folds: { fold: foldCase, disk: { fold: foldCase } },
  ignores: { disk: { isIgnored: (path) => path.split('/').includes('d') } },
  receives: { isReceiver: true },
}

/** Those that stand beside plain ones. */
const otherKinds: readonly MachineKind[] = ['folds', 'ignores', 'receives']

/** Rounds in which all see all at last; more are needed only when something goes round for ever. */
const roundsMax = 12

export interface Outcome {
  /** What must never happen, and has. */
  readonly violations: readonly string[]
  readonly machines: number
  readonly operations: number
  readonly steps: number
  /** Processes that ended in the middle of something. */
  readonly interruptions: number
  readonly counts: ReadonlyMap<DriveMark, number>
}

/**
 * 2 to 4 machines whose users write, rename, move, swap and delete, while what they say comes to the others late and in any causal order,
 * and processes end between any two steps. At the end all say all, and have to have the same: with everything that somebody wrote and
 * nobody who had it before him has overwritten or deleted.
 */
export function runTrees(
  seed: number,
  log: (line: string) => void = () => undefined,
  kinds: readonly MachineKind[] = otherKinds,
): Outcome {
  const random = new SeededRandom(`drive ${seed}`)
  const run = new Run(random, log, kinds)
  const steps = random.integer(20, 90)
  for (let step = 0; step < steps; step += 1) run.step()
  run.finish()
  return { ...run.outcome(), steps }
}

class Run {
  readonly violations: string[] = []
  #interruptions = 0
  readonly #random: SeededRandom
  readonly #log: (line: string) => void
  readonly #world = new World()
  readonly #machines: readonly Machine[]
  readonly #ledger = new Ledger()
  /** The contents that users have moved, edited or deleted in folders that receive. */
  readonly #partedByMachine = new Map<Machine, Set<string>>()
  readonly #names: readonly string[]
  /** In some worlds a member is hostile. */
  readonly #hostility: SeededRandom | undefined
  #contents = 0

  constructor(random: SeededRandom, log: (line: string) => void, kinds: readonly MachineKind[]) {
    this.#random = random
    this.#log = log
    const count = random.integer(2, 4)
    this.#machines = Array.from({ length: count }, (_, index) => {
      // Most are alike, and the first one always: the others are compared with it.
      const kind = index === 0 || random.chance(0.7) ? 'plain' : random.pick(kinds)
      this.#log(`machine ${index + 1}: ${kind}`)
      return new Machine(this.#world, index + 1, machineOptions[kind])
    })
    const hostility = random.fork('hostility')
    this.#hostility = hostility.chance(0.2) ? hostility : undefined
    this.#names = this.#machines.some(({ folds }) => folds) ? [...names, ...spellings] : names
  }

  outcome(): Omit<Outcome, 'steps'> {
    const { counts, sent } = this.#world
    const machines = this.#machines.length
    const interruptions = this.#interruptions
    return { violations: this.violations, machines, operations: sent.length, interruptions, counts }
  }

  step(): void {
    const machine = this.#random.pick(this.#machines)
    if (this.#hostility?.chance(0.05) === true && !machine.isReceiver) this.#heckle(this.#hostility, machine)
    if (this.#random.chance(0.5)) this.#use(machine)
    else if (this.#random.chance(0.4)) machine.site.catchUp(this.#random, this.#world.sent)
    else this.#synchronize(machine)
  }

  #heckle(random: SeededRandom, machine: Machine): void {
    this.#log(`${this.#nameOf(machine)} says what nobody should take`)
    heckle(random, this.#world, machine)
  }

  finish(): void {
    let isQuiet = false
    for (let round = 0; round < roundsMax && !isQuiet; round += 1) {
      isQuiet = true
      for (const machine of this.#machines) {
        machine.site.catchUp(this.#random, this.#world.sent)
        const changes = this.#publish(machine)
        const actions = this.#apply(machine)
        const published = machine.isReceiver ? 0 : (changes?.list.length ?? 0)
        if (published > 0 || (actions?.length ?? 0) > 0) isQuiet = false
      }
    }
    if (!isQuiet) this.violations.push('it never comes to rest')
    this.#check()
  }

  #check(): void {
    const alike = this.#machines.filter((machine) => !machine.isReceiver && !machine.folds && !machine.ignores)
    const [first, ...others] = alike.map(({ disk }) => disk.outline())
    for (const other of others)
      if (other.join('\n') !== first?.join('\n'))
        this.violations.push(`folders differ:\n${first?.join('\n')}\n---\n${other.join('\n')}`)
    if (first?.some((line) => line.includes('(conflict of')) === true) this.#world.count('conflict at the end')
    if (this.#machines[0]?.layout().refused.length !== 0) this.#world.count('refused: a name or link that leads out')
    for (const machine of this.#machines) {
      for (const problem of folderProblems(machine, this.#partedOf(machine)))
        this.violations.push(`in the folder of ${this.#nameOf(machine)} ${problem}`)
      this.violations.push(...pathsOutside(machine))
    }
    // The first machine is a plain one: what is wanted is in its folder, and so in the tree, or where its user has it for themselves.
    const here = new Set(this.#machines.flatMap((machine) => this.#contentsOf(machine)))
    const [{ site }] = this.#machines as readonly [Machine]
    for (const content of this.#ledger.lost(here, site.value.view)) this.violations.push(`lost: ${content}`)
  }

  /** Contents that count as being kept: those in the folder that all have, and those that a machine leaves out. */
  #contentsOf(machine: Machine): readonly string[] {
    const { disk } = machine
    // What is left out goes aside with the directory that it is in, and stays there, where that is told of, when it is deleted elsewhere.
    const counting =
      machine === this.#machines[0] ? disk.paths('file') : disk.allPaths().filter((path) => disk.isLeftOut(path))
    return counting.map((path) => disk.content(path))
  }

  /** Looks, says, and carries out; the process may end between any two steps, and the user goes on meanwhile. */
  #synchronize(machine: Machine): void {
    const isRough = this.#random.chance(0.4)
    const pause = (): boolean => {
      if (!isRough) return false
      if (this.#random.chance(0.1)) this.#use(machine)
      const ends = this.#random.chance(0.15)
      if (ends) this.#interruptions += 1
      if (ends) this.#log('interrupted')
      return ends
    }
    this.#log(`${this.#nameOf(machine)} synchronizes`)
    const changes = this.#publish(machine, pause)
    if (changes === undefined) return
    // What others have said may come between the two.
    if (this.#random.chance(0.3)) machine.site.catchUp(this.#random, this.#world.sent)
    this.#apply(machine, pause, this.#random.integer(0, 2))
  }

  #publish(machine: Machine, pause?: Pause): Changes | undefined {
    const { writer, clock } = machine.site
    const number = clock.at(writer) + 1
    this.#ledger.looks(machine)
    const changes = machine.publish(pause, { allowDeletions: true })
    for (const change of changes?.list ?? [])
      this.#log(
        `  ${this.#nameOf(machine)} publishes ${change.kind} ${'found' in change ? change.found.path : change.agreed.path}`,
      )
    if (changes !== undefined && !machine.isReceiver) this.#ledger.published(changes.list, machine, number)
    return changes
  }

  #apply(machine: Machine, pause?: Pause, forget?: number): readonly Action[] | undefined {
    const actions = machine.apply(pause, forget)
    for (const action of actions ?? [])
      this.#log(`  ${this.#nameOf(machine)} ${action.kind} ${'from' in action ? `${action.from} ` : ''}${action.path}`)
    return actions
  }

  #use(machine: Machine): void {
    const random = this.#random
    const { disk } = machine
    const files = disk.paths('file')
    const all = disk.paths()
    const target = this.#somePath(machine)
    const kind = random.pick([
      'write',
      'write',
      'edit',
      'directory',
      'directory',
      'move',
      'move',
      'delete',
      'swap',
      'swap',
      'mode',
      'copy',
    ] as const)
    this.#log(`${this.#nameOf(machine)} ${kind} ${target}`)
    if (kind === 'write') return this.#write(machine, target)
    if (kind === 'directory') return this.#makeDirectory(machine, target)
    if (all.length === 0) return
    const path = random.pick(all)
    if (kind === 'move') return this.#move(machine, path, target)
    if (kind === 'swap') return this.#swap(machine, path, random.pick(all))
    if (kind === 'delete') return this.#remove(machine, path)
    if (files.length === 0) return
    const file = random.pick(files)
    if (kind === 'edit') return this.#write(machine, file)
    if (kind === 'copy' && !disk.has(target)) return this.#copy(machine, file, target)
    if (kind !== 'mode') return
    disk.changeMode(file, random.pick([0o600, 0o644, 0o755]))
    this.#made(machine, file)
  }

  #write(machine: Machine, path: string): void {
    this.#contents += 1
    const content = `${this.#nameOf(machine)}${this.#contents}${'.'.repeat(this.#contents % 3)}`
    const { disk } = machine
    const before = disk.has(path) ? disk.content(path) : ''
    this.#world.add(content)
    disk.write(path, content, { afresh: this.#random.chance(0.5) })
    if (!disk.has(path) || disk.content(path) !== content) return
    this.#made(machine, path)
    if (!machine.isReceiver) this.#ledger.written(content)
    this.#partWith(machine, before, 'edited')
    this.#log(`  ${path}: ${before} -> ${content}`)
  }

  #copy(machine: Machine, from: string, path: string): void {
    const content = machine.disk.content(from)
    machine.disk.write(path, content)
    this.#made(machine, path)
    this.#ledger.copied(content)
  }

  #makeDirectory(machine: Machine, path: string): void {
    if (machine.disk.has(path)) return
    machine.disk.makeDirectory(path)
    this.#made(machine, path)
  }

  #move(machine: Machine, path: string, target: string): void {
    const { disk } = machine
    const replaced = disk.content(target)
    const moved = disk.content(path)
    this.#take(machine, path)
    disk.move(path, target)
    this.#made(machine, disk.has(path) ? path : target)
    this.#log(`  ${path} -> ${target}`)
    if (path !== target && replaced !== '' && disk.content(target) === moved && !disk.has(path) && replaced !== moved)
      this.#partWith(machine, replaced, 'replaced')
  }

  #swap(machine: Machine, left: string, right: string): void {
    const { disk } = machine
    if (left === right || `${left}/`.startsWith(`${right}/`) || `${right}/`.startsWith(`${left}/`)) return
    this.#log(`  ${left} <-> ${right}`)
    this.#take(machine, left)
    this.#take(machine, right)
    disk.move(left, 'swap')
    if (!disk.has(left)) {
      disk.move(right, left)
      disk.move('swap', right)
    }
    for (const path of [left, right, 'swap']) this.#made(machine, path)
  }

  #remove(machine: Machine, path: string): void {
    const { disk } = machine
    this.#log(`  delete ${path}`)
    this.#take(machine, path)
    for (const one of disk.paths('file'))
      if (one === path || one.startsWith(`${path}/`)) this.#partWith(machine, disk.content(one), 'deleted')
    disk.remove(path)
  }

  #partWith(machine: Machine, content: string, parting: Parting): void {
    if (content !== '') this.#partedOf(machine).add(encodeHex(rootOf(content)))
    if (this.#ledger.partedWith(content, machine, parting)) this.#world.count('kept from one who had not seen that')
  }

  /** Something is there because a user wants it so: of interest where nobody else hears of that. */
  #made(machine: Machine, path: string): void {
    if (machine.isReceiver) machine.disk.markOwn(path)
  }

  /** It is moved or removed, with all that is in it. */
  #take(machine: Machine, path: string): void {
    if (!machine.isReceiver) return
    for (const one of machine.disk.paths('file'))
      if (one === path || one.startsWith(`${path}/`))
        this.#partedOf(machine).add(encodeHex(rootOf(machine.disk.content(one))))
  }

  #partedOf(machine: Machine): Set<string> {
    const known = this.#partedByMachine.get(machine) ?? new Set()
    this.#partedByMachine.set(machine, known)
    return known
  }

  #somePath(machine: Machine): string {
    const directories = ['', ...machine.disk.paths('directory').filter((path) => path.split('/').length < 4)]
    return childPath(this.#random.pick(directories), this.#random.pick(this.#names))
  }

  #nameOf(machine: Machine): string {
    return ['A', 'B', 'C', 'D'][this.#machines.indexOf(machine)] ?? '?'
  }
}
