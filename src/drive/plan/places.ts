import { assert } from '../../base/assert.ts'
import { baseName, parentPath } from '../tree-path.ts'

/** Something in the folder, while it is rearranged. */
export interface Place<Value> {
  readonly value: Value | undefined
  name: string
  parent: Place<Value> | undefined
  readonly children: Map<string, Place<Value>>
}

/** Where everything in the folder is, step by step: what is in a directory goes where that goes. */
export class Places<Value> {
  readonly top: Place<Value> = { value: undefined, name: '', parent: undefined, children: new Map() }

  at(path: string): Place<Value> | undefined {
    if (path === '') return this.top
    let place: Place<Value> | undefined = this.top
    for (const name of path.split('/')) {
      place = place.children.get(name)
      if (place === undefined) return undefined
    }
    return place
  }

  /** What is above it is there already, or is made up. */
  add(path: string, value: Value): Place<Value> {
    const parent = this.#ensure(parentPath(path))
    const name = baseName(path)
    const known = parent.children.get(name)
    const place = { value, name, parent, children: known?.children ?? new Map<string, Place<Value>>() }
    for (const child of place.children.values()) child.parent = place
    parent.children.set(name, place)
    return place
  }

  /** The path is free. */
  move(place: Place<Value>, path: string): void {
    const parent = this.#ensure(parentPath(path))
    assert(!parent.children.has(baseName(path)), 'something is moved onto something else')
    place.parent?.children.delete(place.name)
    place.parent = parent
    place.name = baseName(path)
    parent.children.set(place.name, place)
  }

  remove(place: Place<Value>): void {
    place.parent?.children.delete(place.name)
  }

  pathOf(place: Place<Value>): string {
    const names: string[] = []
    for (let at = place; at.parent !== undefined; at = at.parent) names.push(at.name)
    return names.reverse().join('/')
  }

  #ensure(path: string): Place<Value> {
    return this.at(path) ?? this.add(path, undefined as Value)
  }
}
