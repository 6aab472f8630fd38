import { randomFillSync } from 'node:crypto'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { isSameTime } from './tree-digest.ts'
import { largeFileIn } from './tree.ts'

/** Something that a user does to the near tree, and how one sees that it has come to the far one. */
export interface Change {
  /** Before the tree is shared. */
  arrange?(near: string): void
  /** Outside of the time, when it is shared. */
  prepare?(near: string, scratch: string): void
  apply(near: string): void
  /** What has to be seen at the far end, each by a look at one path that costs next to nothing. */
  signs(near: string): readonly Sign[]
}

/** Whether it is seen in a far folder, of a tool that carries times as exactly as that. */
export type Sign = (far: string, timesWithinNs: bigint) => boolean

/** One file in a hundred gets other contents of the same length, at its place. */
export function onePercent(): Change {
  let paths: readonly string[] = []
  return {
    apply: (near) => {
      const all = filesOf(near)
      paths = all.filter((_, index) => index % 100 === 0)
      for (const path of paths) rewrite(join(near, path))
    },
    signs: (near) => paths.map((path) => sameAs(near, path)),
  }
}

/** A save of one small file, at its place. */
export function oneSave(number: number): Change {
  let path = ''
  return {
    prepare: (near) => {
      const all = filesOf(near)
      path = all[(number * 37) % all.length] ?? ''
    },
    apply: (near) => rewrite(join(near, path)),
    signs: (near) => [sameAs(near, path)],
  }
}

const insertedBytes = 1024

/** 1 KiB more in the middle of the large file, put in its place by a rename, as editors save. */
export function insertion(): Change {
  let made = ''
  return {
    prepare: (near, scratch) => {
      made = join(scratch, 'inserted')
      copyWithMore(largeFileIn(near), made)
    },
    apply: (near) => renameSync(made, largeFileIn(near)),
    signs: (near) => [sameAs(near, 'large')],
  }
}

const gathered = 'gathered'
const renamed = 'renamed'

/** Half of the files stand in one directory, which gets another name. */
export const renaming: Change = {
  arrange: (near) => {
    const files = filesOf(near)
    mkdirSync(join(near, gathered))
    for (const path of files.slice(0, files.length / 2))
      renameSync(join(near, path), join(near, gathered, basename(path)))
  },
  apply: (near) => renameSync(join(near, gathered), join(near, renamed)),
  signs: (near) => [
    ...readdirSync(join(near, renamed)).map(
      (name): Sign =>
        (far) =>
          existsSync(join(far, renamed, name)),
    ),
    (far) => !existsSync(join(far, gathered)),
  ],
}

/** Same length and time. */
function sameAs(near: string, path: string): Sign {
  const wanted = lstatSync(join(near, path), { bigint: true })
  return (far, timesWithinNs) => {
    const stat = lstatSync(join(far, path), { bigint: true, throwIfNoEntry: false })
    return stat?.size === wanted.size && isSameTime(stat.mtimeNs, wanted.mtimeNs, timesWithinNs)
  }
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('.'))
    .toSorted()
}

function rewrite(path: string): void {
  writeFileSync(path, randomFillSync(new Uint8Array(lstatSync(path).size)))
}

function copyWithMore(from: string, to: string): void {
  const half = Math.floor(lstatSync(from).size / 2)
  const [source, target] = [openSync(from, 'r'), openSync(to, 'w')]
  const block = new Uint8Array(1024 * 1024)
  let isInserted = false
  for (let at = 0; ;) {
    const read = readSync(source, block, 0, isInserted ? block.length : Math.min(block.length, half - at), at)
    if (read === 0 && isInserted) break
    writeSync(target, block, 0, read)
    at += read
    if (isInserted || at < half) continue
    writeSync(target, randomFillSync(new Uint8Array(insertedBytes)))
    isInserted = true
  }
  closeSync(source)
  closeSync(target)
}
