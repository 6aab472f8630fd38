import {
  applyChanges,
  change,
  type Doc,
  from,
  getLastLocalChange,
  load,
  loadIncremental,
  save,
} from '@automerge/automerge'
import { installedVersions } from '../peers/installed-version.ts'
import type { SetReplica, SetTool } from './set-tool.ts'

interface Content extends Record<string, unknown> {
  readonly set: Record<string, boolean>
}

/** Automerge: the keys of a map in the document. */
export function createSetTool(): SetTool {
  return {
    version: installedVersions('@automerge/automerge'),
    settings:
      'has no set: keys of a map in the document stand for the elements, each with the value true, where a removal spares what it has not seen; what is prepared is one change, what is measured has a change of its own',
    create: (writer) => new AutomergeSet(from<Content>({ set: {} }, { actor: actorOf(writer) })),
    load: (state, writer) => new AutomergeSet(load<Content>(state, { actor: actorOf(writer) })),
  }
}

class AutomergeSet implements SetReplica {
  #doc: Doc<Content>

  constructor(doc: Doc<Content>) {
    this.#doc = doc
  }

  get size(): number {
    return Object.keys(this.#doc.set).length
  }

  has(element: string): boolean {
    return Object.hasOwn(this.#doc.set, element)
  }

  elements(): Iterable<string> {
    return Object.keys(this.#doc.set)
  }

  addAll(elements: readonly string[]): void {
    this.#doc = change(this.#doc, ({ set }) => {
      for (const element of elements) set[element] = true
    })
  }

  add(element: string): Uint8Array {
    return this.#change((set) => (set[element] = true))
  }

  delete(element: string): Uint8Array {
    return this.#change((set) => delete set[element])
  }

  apply(operation: Uint8Array): void {
    ;[this.#doc] = applyChanges(this.#doc, [operation])
  }

  merge(state: Uint8Array): void {
    this.#doc = loadIncremental(this.#doc, state)
  }

  encode(): Uint8Array {
    return save(this.#doc)
  }

  #change(step: (set: Record<string, boolean>) => void): Uint8Array {
    this.#doc = change(this.#doc, ({ set }) => step(set))
    const operation = getLastLocalChange(this.#doc)
    if (operation === undefined) throw new Error('nothing was changed')
    return operation
  }
}

function actorOf(writer: number): string {
  return writer.toString(16).padStart(32, '0')
}
