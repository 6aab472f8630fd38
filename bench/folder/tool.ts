import type { End } from './end.ts'

/** Something that brings a folder from one end to the other. */
export interface FolderTool {
  readonly name: string
  /** Name and version; undefined when it is not installed. */
  version(): string | undefined
  /** What it was told that is not its default. */
  readonly settings: string
  /** How exactly it carries times: a copy may be off by so much. */
  readonly timesWithinNs: bigint
  /** Whether it can go on by itself when something changes. */
  readonly isLive: boolean
  /** The near end has the tree, and is ready to be asked for it when this resolves; the far end has nothing yet. */
  open(ends: Ends): Promise<Copying>
}

export interface Ends {
  readonly near: End
  readonly far: End
  /** Where profiles of both ends are to go, if anywhere: only plait makes some. */
  readonly profileFolder: string | undefined
  /** For Node.js, where a tool runs by it. */
  readonly nodeArguments?: readonly string[]
}

export interface Copying {
  /** Brings what the near end has to the far one, by what a user does for that. Also once more, when the far end was killed. */
  once(): Promise<void>
  /** From now on it goes on by itself; resolves when it is ready for that. */
  live?(): Promise<void>
  /** Ends it in good order. */
  close(): Promise<void>
}
