import { createHash } from 'node:crypto'
import { emptyBytes } from '../../../src/base/bytes.ts'
import type { DiskFacts, KnownEntry } from '../../../src/drive/folder/disk-entry.ts'
import type { Action, Expected } from '../../../src/drive/plan/action.ts'
import { asideFolder } from '../../../src/drive/plan/item.ts'
import type { Disk } from '../../../src/drive/plan/match.ts'
import { baseName, childPath, parentPath } from '../../../src/drive/tree-path.ts'

interface Node {
  readonly kind: 'file' | 'directory'
  readonly inode: bigint
  mode: number
  mtimeNs: bigint
  ctimeNs: bigint
  content: string
  readonly children: Map<string, Node>
}

export interface MemoryDiskOptions {
  /** The same for names that it takes for one. */
  readonly fold?: (name: string) => string
  /** What the rules of this machine leave out. */
  readonly isIgnored?: (path: string) => boolean
}

/** A folder in memory: as the real one, with numbers for what is in it that may be given out again, and times that move. */
export class MemoryDisk {
  readonly #top: Node
  readonly #freeInodes: bigint[] = []
  #inodes = 1n
  #nowNs: bigint
  /** What was replaced or removed by plait. */
  readonly history: string[] = []
  readonly #own = new WeakSet<Node>()

  readonly #fold: ((name: string) => string) | undefined
  readonly #isIgnored: (path: string) => boolean

  constructor(startNs: bigint, options: MemoryDiskOptions = {}) {
    this.#nowNs = startNs
    this.#fold = options.fold
    this.#isIgnored = options.isIgnored ?? (() => false)
    this.#top = this.#node('directory', '')
  }

  paths(kind?: 'file' | 'directory'): readonly string[] {
    return [...this.#walk('', this.#top)]
      .filter(([, node]) => kind === undefined || node.kind === kind)
      .map(([path]) => path)
  }

  /** With the folder of plait. */
  allPaths(): readonly string[] {
    return Array.from(this.#walk('', this.#top, true), ([path]) => path)
  }

  isLeftOut(path: string): boolean {
    return this.#isIgnored(path)
  }

  /** What is at a path, and all that is in it, is there because its user wants it so. */
  markOwn(path: string): void {
    const node = this.#at(path)
    if (node === undefined) return
    this.#own.add(node)
    for (const [, below] of this.#walk(path, node)) this.#own.add(below)
  }

  isOwn(path: string): boolean {
    const node = this.#at(path)
    return node !== undefined && this.#own.has(node)
  }

  content(path: string): string {
    return this.#at(path)?.content ?? ''
  }

  /** Everything with its content, to compare two folders. */
  outline(): readonly string[] {
    return [...this.#walk('', this.#top)]
      .map(([path, node]) =>
        node.kind === 'file'
          ? `${path} ${node.mode.toString(8)} ${node.mtimeNs} ${node.content}`
          : `${path}/ ${node.mode.toString(8)}`,
      )
      .sort()
  }

  has(path: string): boolean {
    return this.#at(path) !== undefined
  }

  write(path: string, content: string, options: { readonly afresh?: boolean } = {}): void {
    const parent = this.#at(parentPath(path))
    const known = this.#at(path)
    if (parent?.kind !== 'directory' || known?.kind === 'directory') return
    if (known !== undefined && options.afresh !== true) {
      known.content = content
      known.mtimeNs = this.#tick()
      known.ctimeNs = known.mtimeNs
    } else {
      if (known !== undefined) this.#freeInodes.push(known.inode)
      this.#drop(path)
      parent.children.set(baseName(path), this.#node('file', content))
    }
  }

  makeDirectory(path: string): void {
    const parent = this.#at(parentPath(path))
    if (parent?.kind === 'directory' && !this.has(path))
      parent.children.set(baseName(path), this.#node('directory', ''))
  }

  /** As `rename`: what is at the target is replaced when it is a file. Nothing happens where that is not possible. */
  move(from: string, path: string): void {
    const node = this.#at(from)
    const parent = this.#at(parentPath(path))
    const known = this.#at(path)
    if (node === undefined || parent?.kind !== 'directory' || from === path || `${path}/`.startsWith(`${from}/`)) return
    // Into itself by another spelling.
    for (let above = path; above !== ''; above = parentPath(above))
      if (above !== path && this.#at(above) === node) return
    if (known !== undefined && known !== node && (known.kind === 'directory' || node.kind === 'directory')) return
    this.#drop(from)
    // What it replaces goes, spelled as it is.
    this.#drop(path)
    parent.children.set(baseName(path), node)
    node.ctimeNs = this.#tick()
  }

  remove(path: string): void {
    const node = this.#at(path)
    if (node === undefined) return
    for (const [, { inode }] of this.#walk('', node)) this.#freeInodes.push(inode)
    this.#freeInodes.push(node.inode)
    this.#drop(path)
  }

  #drop(path: string): void {
    const parent = this.#at(parentPath(path))
    const name = parent === undefined ? undefined : this.#spelled(parent, baseName(path))
    if (name !== undefined) parent?.children.delete(name)
  }

  /** How a name is spelled in a directory. */
  #spelled(parent: Node, name: string): string | undefined {
    if (parent.children.has(name)) return name
    const fold = this.#fold
    if (fold === undefined) return undefined
    return [...parent.children.keys()].find((other) => fold(other) === fold(name))
  }

  /** Whether a path is spelled so. */
  #isSpelled(path: string): boolean {
    const parent = this.#at(parentPath(path))
    return (
      parent?.children.has(baseName(path)) === true && (parentPath(path) === '' || this.#isSpelled(parentPath(path)))
    )
  }

  changeMode(path: string, mode: number): void {
    const node = this.#at(path)
    if (node === undefined) return
    node.mode = mode
    node.ctimeNs = this.#tick()
  }

  scan(): Disk {
    const entries = new Map<string, KnownEntry>()
    for (const [path, node] of this.#walk('', this.#top, true))
      if (path !== '.plait' && path !== asideFolder && !this.#isIgnored(path))
        entries.set(path, {
          ...factsOf(node),
          path,
          target: '',
          root: node.kind === 'file' ? rootOf(node.content) : emptyBytes,
        })
    const isLeftOut = (path: string): boolean => this.isLeftOut(path)
    const holdsUnseen = (path: string): boolean =>
      [...this.#walk(path, this.#at(path) ?? this.#top)].some(([below]) => this.#isIgnored(below))
    return { entries, isSeen: (path) => !isLeftOut(path), isLeftOut, holdsUnseen }
  }

  /** Carries out one action, as the real disk does. False when something else is there than is expected. */
  carryOut(action: Action, contentOf: (root: Uint8Array) => string): DiskFacts | undefined | false {
    const { path } = action
    const parent = this.#at(parentPath(path)) ?? (parentPath(path) === asideFolder ? this.#aside() : undefined)
    if (parent?.kind !== 'directory') return false
    const node = this.#at(path)
    switch (action.kind) {
      case 'directory':
        if (node !== undefined) return false
        this.makeDirectory(path)
        break
      case 'write': {
        if (!isExpected(node, action.expected)) return false
        if (node !== undefined) this.#keep(node)
        const fresh = this.#node('file', contentOf(action.item.version.root))
        fresh.mode = action.item.version.mode
        fresh.mtimeNs = action.item.version.mtimeNs
        this.#drop(path)
        parent.children.set(baseName(path), fresh)
        break
      }
      case 'move':
        if (node !== undefined && !this.#isRespelled(action.from, path)) return false
        if (!this.#isSpelled(action.from) || !isExpected(this.#at(action.from), action.expected)) return false
        this.move(action.from, path)
        break
      case 'facts':
        if (node === undefined || !isExpected(node, action.expected)) return false
        node.mode = action.item.version.mode
        if (node.kind === 'file') node.mtimeNs = action.item.version.mtimeNs
        break
      case 'agree':
      case 'adopt':
        if (node === undefined || !isExpected(node, action.expected)) return false
        if (action.kind === 'adopt') this.#own.delete(node)
        break
      case 'delete':
        if (node === undefined || !isExpected(node, action.expected) || node.children.size > 0) return false
        if (node.kind === 'file') this.#keep(node)
        this.remove(path)
        return undefined
    }
    const now = this.#at(path)
    return now === undefined ? undefined : factsOf(now)
  }

  /** Whether both are the same thing, and one of them how it is spelled. */
  #isRespelled(from: string, path: string): boolean {
    return this.#at(from) === this.#at(path) && parentPath(from) === parentPath(path) && !this.#isSpelled(path)
  }

  #keep(node: Node): void {
    if (node.kind === 'file') this.history.push(node.content)
  }

  #aside(): Node {
    this.makeDirectory('.plait')
    this.makeDirectory(asideFolder)
    return this.#at(asideFolder) as Node
  }

  *#walk(above: string, node: Node, isWhole = false): Generator<readonly [string, Node]> {
    for (const [name, child] of node.children) {
      const path = childPath(above, name)
      if (path === '.plait' && !isWhole) continue
      yield [path, child]
      yield* this.#walk(path, child, isWhole)
    }
  }

  #at(path: string): Node | undefined {
    let node: Node | undefined = this.#top
    for (const name of path === '' ? [] : path.split('/')) {
      const spelled: string | undefined = node === undefined ? undefined : this.#spelled(node, name)
      node = spelled === undefined ? undefined : node?.children.get(spelled)
    }
    return node
  }

  #node(kind: 'file' | 'directory', content: string): Node {
    const now = this.#tick()
    const mode = kind === 'file' ? 0o644 : 0o755
    const inode = this.#freeInodes.pop() ?? (this.#inodes += 1n)
    return { kind, inode, mode, mtimeNs: now, ctimeNs: now, content, children: new Map() }
  }

  #tick(): bigint {
    this.#nowNs += 1_000_000n
    return this.#nowNs
  }
}

export function rootOf(content: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(content).digest())
}

function isExpected(node: Node | undefined, expected: Expected): boolean {
  if (node === undefined || expected === undefined) return node === expected
  if (node.kind !== expected.kind) return false
  if (node.kind === 'directory')
    return expected.inode === 0n || (node.inode === expected.inode && node.mode === expected.mode)
  const { inode, size, mtimeNs, ctimeNs } = factsOf(node)
  if (expected.ctimeNs !== 0n && expected.ctimeNs !== ctimeNs) return false
  if (node.mode !== expected.mode) return false
  return inode === expected.inode && size === expected.size && mtimeNs === expected.mtimeNs
}

function factsOf(node: Node): DiskFacts {
  const { kind, inode, mode, mtimeNs, ctimeNs, content } = node
  return { kind, inode, mode, mtimeNs, ctimeNs, size: kind === 'file' ? content.length : 0 }
}
