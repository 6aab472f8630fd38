import { isOneChunk } from '../content/chunker.ts'
import type { Action } from '../plan/action.ts'
import { parentPath } from '../tree-path.ts'

type Write = Action & { readonly kind: 'write' }

/** A run of actions that puts small files where nothing is, and makes directories for them: it is carried out in one go. */
export interface Flock {
  /** Of its first action, and of the one behind its last. */
  readonly start: number
  readonly end: number
  readonly directories: readonly number[]
  readonly writes: readonly number[]
  readonly bytes: number
}

const filesMax = 256
const bytesMax = 4 * 1024 * 1024
/** All of them are open at once. */
const parentsMax = 48
/** Fewer are not worth a flock. */
const filesMin = 16

/** The flocks in a plan, in its order. */
export function flocksOf(actions: readonly Action[]): readonly Flock[] {
  const flocks: Flock[] = []
  let run = new Run(0)
  for (const [index, action] of actions.entries()) {
    if (run.takes(action)) {
      run.add(index, action)
      continue
    }
    if (run.writes.length >= filesMin) flocks.push(run.flock(index))
    run = new Run(index)
    if (run.takes(action)) run.add(index, action)
    else run = new Run(index + 1)
  }
  if (run.writes.length >= filesMin) flocks.push(run.flock(actions.length))
  return flocks
}

class Run {
  readonly writes: number[] = []
  readonly #start: number
  readonly #directories: number[] = []
  readonly #parents = new Set<string>()
  #bytes = 0

  constructor(start: number) {
    this.#start = start
  }

  takes(action: Action): boolean {
    if (action.kind === 'directory') return true
    if (!isFresh(action)) return false
    const isNear = this.#parents.size < parentsMax || this.#parents.has(parentPath(action.path))
    return isNear && this.writes.length < filesMax && this.#bytes + action.item.version.size <= bytesMax
  }

  add(index: number, action: Action): void {
    if (action.kind !== 'write') return void this.#directories.push(index)
    this.writes.push(index)
    this.#parents.add(parentPath(action.path))
    this.#bytes += action.item.version.size
  }

  flock(end: number): Flock {
    return { start: this.#start, end, directories: this.#directories, writes: this.writes, bytes: this.#bytes }
  }
}

function isFresh(action: Action): action is Write {
  if (action.kind !== 'write' || action.expected !== undefined) return false
  return action.item.version.kind === 'file' && isOneChunk(action.item.version.size)
}
