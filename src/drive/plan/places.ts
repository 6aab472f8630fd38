import { assert } from '../../base/assert.ts'
import { baseName, childPath, parentPath } from '../tree-path.ts'

/** Something in the folder, while it is rearranged. */
export interface Place<Value> {
  readonly value: Value | undefined
  name: string
  parent: Place<Value> | undefined
  /** Where it was found, folded; undefined for what is to be made. */
  readonly origin: string | undefined
  /** Those that somebody has asked for, by their folded names; undefined: it is not there any more. */
  readonly children: Map<string, Place<Value> | undefined>
}

/**
 * Where everything in the folder is, step by step: what is in a directory goes where that goes. What nobody asks for is not in here, so
 * that a hundred thousand files in which one is renamed cost nothing.
 */
export class Places<Value extends { readonly path: string }> {
  readonly top: Place<Value> = { value: undefined, name: '', parent: undefined, origin: '', children: new Map() }
  readonly #valueAt: (path: string) => Value | undefined
  readonly #fold: (name: string) => string
  readonly #placeByOrigin = new Map<string, Place<Value>>([['', this.top]])

  /** `valueAt` says what was found at a path, which is folded as `fold` does it: all names that look the same. */
  constructor(valueAt: (path: string) => Value | undefined, fold: (name: string) => string = (name) => name) {
    this.#valueAt = valueAt
    this.#fold = fold
  }

  at(path: string): Place<Value> | undefined {
    if (path === '') return this.top
    let place: Place<Value> | undefined = this.top
    for (const name of path.split('/')) {
      place = this.#childOf(place, name)
      if (place === undefined) return undefined
    }
    return place
  }

  /** Where that is which was found at a path; undefined when nothing was, or when it is removed. */
  ofFound(path: string): Place<Value> | undefined {
    const known = this.#placeByOrigin.get(this.#fold(path))
    if (known !== undefined) return known
    const parent = this.ofFound(parentPath(path))
    return parent === undefined ? undefined : this.#childOf(parent, baseName(path))
  }

  /** A directory that was not looked at, and is there as far as what is in it is. */
  assume(path: string): Place<Value> {
    const known = this.at(path)
    return known ?? this.#put(this.assume(parentPath(path)), baseName(path), undefined, this.#fold(path))
  }

  /** Something new. What is above it is there, and the path is free. */
  add(path: string, value: Value): Place<Value> {
    const parent = this.at(parentPath(path))
    assert(parent !== undefined && this.at(path) === undefined, 'something is put where it cannot be')
    return this.#put(parent, baseName(path), value, undefined)
  }

  /** What is above the path is there, and the path is free. */
  move(place: Place<Value>, path: string): void {
    const parent = this.at(parentPath(path))
    const occupant = this.at(path)
    assert(parent !== undefined && (occupant ?? place) === place, 'something is moved onto something else')
    place.parent?.children.set(this.#fold(place.name), undefined)
    place.parent = parent
    place.name = baseName(path)
    parent.children.set(this.#fold(place.name), place)
  }

  remove(place: Place<Value>): void {
    place.parent?.children.set(this.#fold(place.name), undefined)
    if (place.origin !== undefined) this.#placeByOrigin.delete(place.origin)
  }

  pathOf(place: Place<Value>): string {
    const names: string[] = []
    for (let at = place; at.parent !== undefined; at = at.parent) names.push(at.name)
    return names.reverse().join('/')
  }

  #childOf(parent: Place<Value>, name: string): Place<Value> | undefined {
    const folded = this.#fold(name)
    if (parent.children.has(folded)) return parent.children.get(folded)
    if (parent.origin === undefined) return undefined
    const origin = childPath(parent.origin, folded)
    const value = this.#valueAt(origin)
    return value === undefined ? undefined : this.#put(parent, baseName(value.path), value, origin)
  }

  #put(parent: Place<Value>, name: string, value: Value | undefined, origin: string | undefined): Place<Value> {
    const place: Place<Value> = { value, name, parent, origin, children: new Map() }
    parent.children.set(this.#fold(name), place)
    if (origin !== undefined) this.#placeByOrigin.set(origin, place)
    return place
  }
}
