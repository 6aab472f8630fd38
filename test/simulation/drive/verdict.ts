import { encodeHex } from '../../../src/base/bytes.ts'
import type { KnownEntry } from '../../../src/drive/folder/disk-entry.ts'
import { asideFolder, isAside, nearTime } from '../../../src/drive/plan/item.ts'
import type { Item } from '../../../src/drive/plan/item.ts'
import { parentPath, pathProblem } from '../../../src/drive/tree-path.ts'
import type { Machine } from './machine.ts'

/** Why paths of a folder are none that a drive may have there: everything is looked at, the folder of plait too. */
export function pathsOutside({ disk }: Machine): readonly string[] {
  return disk
    .allPaths()
    .filter((path) => path !== '.plait' && path !== asideFolder)
    .flatMap((path) => {
      const problem = pathProblem(isAside(path) ? path.slice(asideFolder.length + 1) : path)
      return problem === undefined ? [] : [`the path ${JSON.stringify(path)} of a folder ${problem}`]
    })
}

/**
 * What is wrong in a folder of a machine that has heard everything and has nothing left to do. It has to have all that the tree says, with
 * modes and times, and nothing else, but for these:
 *
 * - What has its place where something is that is no part of the drive waits where it was before, which may be aside, and is told of; so
 *   does what is below it, and a directory that is deleted elsewhere and in which it waits. Only machines that leave something out and
 *   those that receive can have that; and what is in the way is looked for.
 * - A directory that is deleted elsewhere stays where something that is left out, or is its user's own, is in it.
 * - In a folder that receives all is allowed that its user has made, and a file may be absent that they have moved, edited or deleted
 *   since it was put there with this very content. Directories come again. What a process has done last that ended before it could write
 *   that down counts as its user's doing.
 */
export function folderProblems(machine: Machine, parted: ReadonlySet<string>): readonly string[] {
  return new Verdict(machine, parted).problems
}

class Verdict {
  readonly problems: string[] = []
  readonly #machine: Machine
  readonly #entries: ReadonlyMap<string, KnownEntry>
  /** Entries that could not be put in their places, and so are where they were, perhaps with what they held then. */
  readonly #waiting = new Set<string>()

  constructor(machine: Machine, parted: ReadonlySet<string>) {
    this.#machine = machine
    const disk = machine.disk.scan()
    this.#entries = disk.entries
    const inPlace = new Set<string>()
    for (const item of machine.layout().items.values()) {
      if (!disk.isSeen(item.path)) continue
      const found = this.#entries.get(item.path)
      if (found !== undefined && this.#isAs(item, found)) inPlace.add(item.path)
      else if (this.#isObstructed(item.path)) for (const id of entriesOf(item)) this.#waiting.add(id)
      else if (!machine.isReceiver || !this.#isUsersAffair(item, parted))
        this.#say(`${item.path} is not as it should be`)
    }
    const reasons = machine.obstacles.map(({ path }) => path).filter((path) => !this.#isObstructing(path))
    for (const path of reasons) this.#say(`nothing is in the way at ${path}`)
    for (const found of this.#entries.values())
      if (!inPlace.has(found.path) && !this.#mayBe(found)) this.#say(`${found.path} should not be there`)
  }

  #say(problem: string): void {
    this.problems.push(problem)
  }

  #isAs({ path, version, claims }: Item, found: KnownEntry): boolean {
    if (contentKey(version) !== contentKey(found)) return false
    // Directories get their times when all else is done, and lose them when their users put something there.
    if (version.kind === 'directory' || this.#machine.disk.isOwn(path)) return true
    return version.mode === found.mode && nearTime(version.mtimeNs, found.mtimeNs) && claims.length > 0
  }

  /** Whether something is not to be put at a path because of what is there or above it. */
  #isObstructed(path: string): boolean {
    return this.#machine.obstacles.some(
      ({ path: at, reason }) => reason.startsWith('cannot be put there') && (path === at || path.startsWith(`${at}/`)),
    )
  }

  #isObstructing(path: string): boolean {
    for (let at = path; at !== ''; at = parentPath(at)) if (this.#holdsOther(at)) return true
    return false
  }

  /** Whether something is at a path, or in it, that is no part of the drive. */
  #holdsOther(path: string): boolean {
    const { disk } = this.#machine
    for (const one of this.#entries.keys()) if (one.startsWith(`${path}/`) && this.#isWaiting(one)) return true
    if (!this.#machine.ignores && !this.#machine.isReceiver) return false
    return disk.allPaths().some((one) => {
      if (one !== path && !one.startsWith(`${path}/`)) return false
      return this.#machine.isReceiver ? disk.isOwn(one) : disk.isLeftOut(one)
    })
  }

  #isUsersAffair({ version }: Item, parted: ReadonlySet<string>): boolean {
    const root = encodeHex(version.root)
    return version.kind === 'file' && (parted.has(root) || this.#machine.forgotten.has(root))
  }

  #mayBe(found: KnownEntry): boolean {
    const isHolding = found.kind === 'directory' && this.#holdsOther(found.path)
    if (isHolding || (this.#machine.isReceiver && this.#machine.disk.isOwn(found.path))) return true
    return this.#isWaiting(found.path)
  }

  #isWaiting(path: string): boolean {
    const agreed = this.#machine.agreement.get(path)
    return agreed !== undefined && entriesOf(agreed).some((id) => this.#waiting.has(id))
  }
}

function entriesOf({ claims }: Item): readonly string[] {
  return claims.map(({ id }) => `${id.writer} ${id.number}`)
}

function contentKey({ kind, root }: Pick<KnownEntry, 'kind' | 'root'>): string {
  return `${kind} ${encodeHex(root)}`
}
