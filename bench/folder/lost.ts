import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { markOf } from './marked-content.ts'
import { pathsIn } from './tree-digest.ts'

/** What a writer remembers. */
export interface Memory {
  readonly own: ReadonlyMap<string, string>
  readonly written: ReadonlySet<string>
  readonly replaced: ReadonlySet<string>
}

/** By path, the mark of each file of a tree; undefined where it is torn. */
export function marksIn(folder: string): ReadonlyMap<string, string | undefined> {
  const files = pathsIn(folder).filter((path) => statSync(join(folder, path)).isFile())
  return new Map(files.map((path) => [path, markOf(readFileSync(join(folder, path)))]))
}

/** What a tree lacks that some writer still wants, and what is in it that nobody has written. */
export function lossesIn(marks: ReadonlyMap<string, string | undefined>, writers: readonly Memory[]): string[] {
  const losses = [...marks].flatMap(([path, mark]) => (mark === undefined ? [`${path} is torn`] : []))
  for (const { own } of writers)
    for (const [path, mark] of own)
      if (marks.get(path) !== mark) losses.push(`${path} is ${marks.get(path) ?? 'not there'} instead of ${mark}`)
  const present = new Set(marks.values())
  const replaced = new Set(writers.flatMap((writer) => [...writer.replaced]))
  for (const { written } of writers)
    for (const mark of written)
      if (!present.has(mark) && !replaced.has(mark)) losses.push(`${mark} is nowhere, and nobody has replaced it`)
  return losses
}
