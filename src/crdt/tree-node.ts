import type { Dot } from './dot.ts'
import type { DotList } from './dot-list.ts'
import { shownNames } from './names.ts'
import type { Named } from './names.ts'

/** Where an operation puts an entry. */
export interface Placement extends Named {
  /** Undefined: at the top. */
  readonly parent: Dot | undefined
}

/** An entry of a tree as far as it is known: it may be referred to before it is there. */
export class TreeNode<Content> {
  /** Undefined for the top. */
  readonly id: Dot | undefined
  readonly content: Content
  /** The placement that counts. */
  placement: Placement | undefined
  parent: TreeNode<Content> | undefined
  /** The creation and the moves that hold the entry. */
  life: DotList = []
  #isAlive = false
  #weight = 0
  /** Most have none, and a set takes more than all else that a node has. */
  #children: Set<TreeNode<Content>> | undefined
  /** Kept until something below it comes, goes or is renamed: to settle names takes all of them. */
  #shown: ReadonlyMap<string, TreeNode<Content>> | undefined
  #shownName = ''

  constructor(id: Dot | undefined, content: Content) {
    this.id = id
    this.content = content
  }

  /** Whether anything holds it: if not, it was removed. */
  get isAlive(): boolean {
    return this.#isAlive
  }

  set isAlive(isAlive: boolean) {
    if (isAlive === this.#isAlive) return
    this.#isAlive = isAlive
    this.#weigh(isAlive ? 1 : -1)
  }

  /** How many stand directly below it, be they shown or not. */
  get childCount(): number {
    return this.#children?.size ?? 0
  }

  /** How many are alive here and below. What has some is shown, even if it was removed itself. */
  get weight(): number {
    return this.#weight
  }

  /** Puts it below `parent`, or nowhere. The caller has seen to it that `parent` is not below this. */
  place(placement: Placement | undefined, parent: TreeNode<Content> | undefined): void {
    if (this.parent !== undefined) {
      this.parent.#children?.delete(this)
      this.parent.#shown = undefined
      this.parent.#weigh(-this.#weight)
    }
    this.placement = placement
    this.parent = parent
    if (parent === undefined) return
    parent.#children ??= new Set()
    parent.#children.add(this)
    parent.#shown = undefined
    parent.#weigh(this.#weight)
  }

  /** What stands directly below it and is shown, by the name under which it is. */
  get shown(): ReadonlyMap<string, TreeNode<Content>> {
    if (this.#shown !== undefined) return this.#shown
    const named: (Placement & { readonly node: TreeNode<Content> })[] = []
    for (const node of this.#children ?? [])
      if (node.#weight > 0 && node.placement !== undefined) named.push({ ...node.placement, node })
    const shown = new Map<string, TreeNode<Content>>()
    for (const [name, { node }] of shownNames(named)) {
      node.#shownName = name
      shown.set(name, node)
    }
    this.#shown = shown
    return shown
  }

  /** The name under which it is shown in what it stands in. */
  get shownName(): string {
    return this.parent?.shown === undefined ? '' : this.#shownName
  }

  /** Whether it is `other`, or stands below it. */
  isWithin(other: TreeNode<Content>): boolean {
    if (other === this) return true
    for (let node = this.parent; node !== undefined; node = node.parent) if (node === other) return true
    return false
  }

  #weigh(change: number): void {
    if (change === 0) return
    this.#weighHere(change)
    for (let node = this.parent; node !== undefined; node = node.parent) node.#weighHere(change)
  }

  #weighHere(change: number): void {
    const wasShown = this.#weight > 0
    this.#weight += change
    if (this.parent !== undefined && this.#weight > 0 !== wasShown) this.parent.#shown = undefined
  }
}
