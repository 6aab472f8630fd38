import type { DiskFacts } from '../folder/disk-entry.ts'
import type { Item } from './item.ts'

/** What has to be at a path for an action to be carried out there; undefined: nothing. */
export type Expected = DiskFacts | undefined

/** One step on the disk. It is carried out as a whole or not at all, and not unless what it expects is there. */
export type Action =
  | { readonly kind: 'directory'; readonly path: string; readonly item: Item; readonly forgets?: boolean }
  /** A file or link: made elsewhere, whole and verified, and then put here in place of what is expected. */
  | {
      readonly kind: 'write'
      readonly path: string
      readonly item: Item
      readonly expected: Expected
      /** What was agreed on there is not there any more, and whoever only receives tells nobody: it is forgotten. */
      readonly forgets?: boolean
    }
  /** A directory that is there becomes this one, with what is in it that is here only. */
  | {
      readonly kind: 'adopt'
      readonly path: string
      readonly item: Item
      readonly expected: DiskFacts
      readonly forgets?: boolean
    }
  /** Nothing is at `path`. */
  | {
      readonly kind: 'move'
      readonly from: string
      readonly path: string
      readonly expected: DiskFacts
      readonly forgets?: boolean
    }
  /** Mode and time. */
  | { readonly kind: 'facts'; readonly path: string; readonly item: Item; readonly expected: DiskFacts }
  /** What looks as it should already; only what it is in the tree is written down. */
  | { readonly kind: 'agree'; readonly path: string; readonly item: Item; readonly expected: DiskFacts }
  /** A directory only when nothing is in it. */
  | {
      readonly kind: 'delete'
      readonly path: string
      readonly expected: DiskFacts
      /** Nobody else has it: in a folder that only receives, something else was put there. */
      readonly isOwn?: boolean
    }

/** Something that is not done, and why: the end of a sentence that begins with the path. */
export interface Obstacle {
  readonly path: string
  readonly reason: string
}
