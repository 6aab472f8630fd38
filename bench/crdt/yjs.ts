import * as Y from 'yjs'
import { installedVersions } from '../peers/installed-version.ts'
import type { SetReplica, SetTool } from './set-tool.ts'

const transactionElements = 1_000

/** Yjs: the keys of a Y.Map. */
export function createSetTool(): SetTool {
  return {
    version: installedVersions('yjs', 'lib0'),
    settings:
      'has no set: keys of a Y.Map stand for the elements, each with the value true; a removal can take away an addition that it has not seen, so it is not add-wins; updates of version 1',
    create: (writer) => new YjsSet(writer),
    load: (state, writer) => new YjsSet(writer, state),
  }
}

class YjsSet implements SetReplica {
  readonly #doc = new Y.Doc()
  readonly #map = this.#doc.getMap('set')
  #update: Uint8Array = new Uint8Array(0)

  constructor(writer: number, state?: Uint8Array) {
    if (state !== undefined) this.merge(state)
    // Now: what comes under one's own number makes it take another one.
    this.#doc.clientID = writer
    this.#doc.on('update', (update) => (this.#update = update))
  }

  get size(): number {
    return this.#map.size
  }

  has(element: string): boolean {
    return this.#map.has(element)
  }

  elements(): Iterable<string> {
    return this.#map.keys()
  }

  addAll(elements: readonly string[]): void {
    for (let start = 0; start < elements.length; start += transactionElements) {
      this.#doc.transact(() => {
        for (const element of elements.slice(start, start + transactionElements)) this.#map.set(element, true)
      })
    }
  }

  add(element: string): Uint8Array {
    this.#map.set(element, true)
    return this.#update
  }

  delete(element: string): Uint8Array {
    this.#map.delete(element)
    return this.#update
  }

  apply(operation: Uint8Array): void {
    Y.applyUpdate(this.#doc, operation)
  }

  merge(state: Uint8Array): void {
    Y.applyUpdate(this.#doc, state)
  }

  encode(): Uint8Array {
    return Y.encodeStateAsUpdate(this.#doc)
  }
}
