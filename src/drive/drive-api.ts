import type { PlaitError } from '../base/error.ts'
import type { Group, GroupId, Groups, InviteOptions } from '../causal/group-api.ts'
import type { Role } from '../causal/members/roster-operation.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import type { Feeds } from '../feed/feed-api.ts'
import type { ContentCounts } from './contents.ts'
import type { HistoryEntry } from './folder/history.ts'
import type { Hold } from './plan/guard.ts'
import type { Progress } from './progress.ts'
import type { DrivePreview } from './preview.ts'
import type { DriveVerification, VerifyProgress } from './verification.ts'
import type { Version } from './version.ts'

/** Where a drive is kept, and which folder it is. */
export interface DriveOptions {
  /** Of one store, with a node; close the drive before them. */
  readonly feeds: Feeds
  readonly groups: Groups
  /** Made when it is missing. Symbolic links on the way to it are followed. */
  readonly folder: string
  /** Patterns as in gitignore: what is left out, beside what `.plaitignore` says. */
  readonly ignore?: readonly string[]
  /** Nothing but what matches, and what is in it. */
  readonly only?: readonly string[]
  /** What this copy is called in the folder's marker. */
  readonly copy?: string
  /** Looks at the folder when something in it changes; only when `sync` is called otherwise. True when absent. */
  readonly isWatching?: boolean
  /** Whether files are on the disk before they get their names. True when absent. */
  readonly isSynced?: boolean
  /** This copy only receives, whatever its member may do: what is changed here is told to nobody. False when absent. */
  readonly isReadOnly?: boolean
  /**
   * Looks at nothing, publishes nothing and changes nothing in the folder before `sync` is called for the first time. False when absent.
   */
  readonly isPassive?: boolean
  /** Chunks are taken at this rate at most, and given at this rate, in bytes a second; from 64 KiB up, else others give up waiting. */
  readonly bytesPerSecondMax?: number
}

export interface CreateDriveOptions extends DriveOptions {
  /** For people; the name of the folder when absent. */
  readonly name?: string
}

/** A folder that is kept the same as those of the other members, for as long as the drive is open. */
export interface Drive extends DriveEvents, AsyncDisposable {
  readonly id: GroupId
  readonly folder: string
  /** Its members, with their roles: those who read only receive. */
  readonly group: Group
  /** What this node may do; undefined as long as that is not known here. */
  readonly role: Role | undefined
  /** What it is doing. */
  status(): DriveStatus
  /**
   * Looks at the folder now, and does what is to be done: resolves when folder and tree say the same, or what is left has failed or is
   * asked about. Rejects with the signal's reason, `STORE_CLOSED`, and why the folder cannot be used.
   */
  sync(options?: SyncOptions): Promise<DriveReport>
  /**
   * Resolves when the connected members have looked at their folders and what they know is known here; waits for one to be connected.
   * Members who look say so now and then: who has said nothing for 10 s is not waited for. Rejects with the signal's reason, or
   * `STORE_CLOSED`.
   */
  caughtUp(options?: WaitOptions): Promise<void>
  /** Resolves when this node is known to be a member, and all of the drive that was heard of before is known: see `entries`, `read`. */
  ready(options?: WaitOptions): Promise<void>
  /**
   * Resolves to the node of another member that has everything which is in the drive now, contents included, what it has left out aside;
   * waits for one. For one caller at a time.
   */
  copied(options?: WaitOptions): Promise<string>
  /** What `sync` would do. Looks at the folder, and does nothing. */
  preview(options?: WaitOptions): Promise<DrivePreview>
  /**
   * Reads every file of the folder again, and compares it with what the drive says that it holds; changes nothing. Nothing else is done
   * meanwhile.
   */
  verify(options?: VerifyOptions): Promise<DriveVerification>
  /**
   * Verifies, and brings back what is broken or missing, from this folder or from whoever has it; what was there goes to the history.
   * Resolves to what was damaged, and of that what could not be brought back.
   */
  repair(options?: VerifyOptions): Promise<DriveRepair>
  /**
   * Ends a conflict: of the versions that want one name the one at `path` stays, or the other one, under that name; the rest goes to the
   * history. Rejects with `INVALID_ARGUMENT` when there is no choice, `FORBIDDEN` when this copy may not write, and `FILE_FAILED`.
   */
  resolve(path: string, options?: ResolveOptions): Promise<DriveReport>
  /** Does what a hold asks about, this once. Not for a folder whose marker is gone. */
  allowDeletions(): void
  /** What is in the drive, by path, each directory before what is in it; wherever the contents are. */
  entries(): readonly DriveEntry[]
  /** The bytes of a file of the drive, or of a range of it, from wherever they are. Rejects with `FILE_FAILED` when there is none. */
  read(path: string, options?: ReadFileOptions): AsyncIterable<Uint8Array>
  /** What was replaced or deleted here, the oldest first. */
  history(): readonly HistoryEntry[]
  /** Brings a file back from the history, to a path at which nothing is. Throws `PATH_REFUSED`, `FILE_FAILED` or `NO_SPACE`. */
  restore(id: string, path: string): void
  /** A link by which others get the drive: to read unless the role says otherwise. For admins. */
  invite(options?: InviteOptions): Promise<string>
  /** Nobody joins by this link any more; whoever has joined stays. For admins. */
  revoke(link: string): Promise<void>
  /** Ends what is done at the moment in order, and shares nothing any more. Idempotent. */
  close(): Promise<void>
}

export interface SyncOptions extends WaitOptions {
  /** Whether the folder is looked at once more; if not, what was seen of it since the drive was opened is enough. True when absent. */
  readonly isLooking?: boolean
}

export interface VerifyOptions extends WaitOptions {
  /** Called after each file. */
  readonly progress?: (progress: VerifyProgress) => void
}

export interface DriveRepair extends DriveVerification {
  /** What is as it was before, or could not be made right. */
  readonly problems: readonly DriveProblem[]
}

export interface ResolveOptions extends WaitOptions {
  /** `this` when absent. */
  readonly keep?: 'this' | 'other'
}

export interface ReadFileOptions extends WaitOptions {
  /** In bytes; `end` is not included. */
  readonly start?: number
  readonly end?: number
}

export interface DriveEntry {
  readonly path: string
  readonly version: Version
  /** It stands beside another one that was written at the same time, or that had its name first. */
  readonly isConflict: boolean
  /** Whether the folder has it as the drive says. */
  readonly isHere: boolean
}

/** Something that is not as it should be. */
export interface DriveProblem {
  /** As somebody has named it: to be escaped before it is shown. */
  readonly path: string
  /** The end of a sentence that begins with the path. */
  readonly reason: string
  /** Of what was tried here, and may be tried again. */
  readonly error?: PlaitError
}

export type DrivePhase =
  /** That this node is a member is not known here yet. */
  | 'joining'
  /** Looks at the folder. */
  | 'looking'
  /** Says what has changed. */
  | 'publishing'
  /** Does what others have changed. */
  | 'applying'
  /** Nothing is to be done, or it is asked about. */
  | 'idle'
  | 'closed'

export interface DriveStatus {
  readonly id: GroupId
  readonly folder: string
  readonly role: Role | undefined
  readonly phase: DrivePhase
  readonly progress: Readonly<Progress>
  readonly counts: ContentCounts
  readonly hold: Hold | undefined
  readonly problems: readonly DriveProblem[]
  /** Other members that are connected. */
  readonly connected: number
}

export interface DriveReport {
  readonly problems: readonly DriveProblem[]
  readonly hold: Hold | undefined
}

export interface DriveEventDetails {
  /** The phase is another one, or work has gone on; some times a second at most. */
  readonly progress: DriveStatus
  /** Something is not as it should be, and was before; told once. */
  readonly problem: DriveProblem
  /** Two have edited a file at the same time: `path` is the version that stands beside. */
  readonly conflict: { readonly path: string }
  /** Somebody has to say that so much is to be deleted: see `allowDeletions`. */
  readonly hold: Hold
  /** Folder and tree say the same as far as is known here, after something was done. */
  readonly settled: DriveReport
  /** Nothing is done any more. */
  readonly failed: { readonly error: PlaitError }
}

export type DriveEventName = keyof DriveEventDetails

type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

/** An `EventTarget` whose events have their types. */
export interface DriveEvents {
  addEventListener<Name extends DriveEventName>(
    name: Name,
    listener: (event: CustomEvent<DriveEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  addEventListener(...other: Parameters<EventTarget['addEventListener']>): void
  removeEventListener<Name extends DriveEventName>(
    name: Name,
    listener: (event: CustomEvent<DriveEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  removeEventListener(...other: Parameters<EventTarget['removeEventListener']>): void
  dispatchEvent(event: Event): boolean
}
