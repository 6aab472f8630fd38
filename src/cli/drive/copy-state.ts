import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { decodeBase32, encodeBase32 } from '../../base/bytes.ts'
import { Directory } from '../../drive/disk/directory.ts'
import { fileError } from '../../drive/disk/file-error.ts'
import { readFolderMarker } from '../../drive/folder/folder-marker.ts'
import type { FolderMarker } from '../../drive/folder/folder-marker.ts'

/** What this machine keeps of one copy of a drive beside its store, outside of the folder and readable by its owner only. */
export interface Copy {
  readonly copyId: string
  /** Real path of the folder. */
  readonly folder: string
  /** How it came to be. */
  readonly origin: 'share' | 'clone' | 'visit'
  /** Undefined until the drive is created or joined. */
  readonly driveId?: string
  /** Where it listened last, and as which node. */
  readonly port?: number
  readonly nodeId?: string
  /** Links that were given out, by role: whoever has one can join again tomorrow. */
  readonly links?: Readonly<Record<string, string>>
  /** Patterns of what takes part, and of what is left out. */
  readonly only?: readonly string[]
  readonly ignore?: readonly string[]
  /** It only receives. */
  readonly isReadOnly?: boolean
}

const fileName = 'copy.json'
const idBytes = 16

export function newCopyId(): string {
  return encodeBase32(randomBytes(idBytes))
}

/** The store of a copy: feeds, views, and the key of its node. */
export function storeOf(copyId: string): string {
  return join(drivesDirectory(), copyId)
}

export function keyFileOf(copyId: string): string {
  return join(storeOf(copyId), 'node.key')
}

/** What plait keeps on this machine. As the XDG base directory specification says: relative values count as unset. */
export function stateDirectory(): string {
  const state = process.env['XDG_STATE_HOME']
  return join(state?.startsWith('/') ? state : join(homedir(), '.local', 'state'), 'plait')
}

export function listCopies(): readonly Copy[] {
  try {
    return readdirSync(drivesDirectory())
      .filter((name) => decodeBase32(name)?.length === idBytes)
      .flatMap((name) => readCopy(name) ?? [])
  } catch {
    return []
  }
}

/** Undefined when nothing (readable) is kept of it. */
export function readCopy(copyId: string): Copy | undefined {
  if (decodeBase32(copyId)?.length !== idBytes) return undefined
  try {
    const text = readFileSync(join(storeOf(copyId), fileName), 'utf8')
    const { folder, origin, driveId, port, nodeId, links, only, ignore, isReadOnly } = JSON.parse(text) as Record<
      string,
      unknown
    >
    if (typeof folder !== 'string' || (origin !== 'share' && origin !== 'clone' && origin !== 'visit')) return undefined
    return {
      ...{ copyId, folder, origin },
      ...(typeof driveId === 'string' && { driveId }),
      ...(typeof port === 'number' && { port }),
      ...(typeof nodeId === 'string' && { nodeId }),
      ...(typeof links === 'object' && links !== null && { links: links as Readonly<Record<string, string>> }),
      ...(isTexts(only) && { only }),
      ...(isTexts(ignore) && { ignore }),
      ...(isReadOnly === true && { isReadOnly }),
    }
  } catch {
    return undefined
  }
}

/** Keeps it; whole or not at all. Throws `FILE_FAILED` or `NO_SPACE`. */
export function writeCopy({ copyId, ...copy }: Copy): void {
  const path = join(storeOf(copyId), fileName)
  try {
    mkdirSync(storeOf(copyId), { recursive: true, mode: 0o700 })
    writeFileSync(`${path}.new`, `${JSON.stringify(copy, undefined, 2)}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch (error) {
    throw fileError(error, path)
  }
}

/** Forgets one that never came to anything. */
export function removeCopy(copyId: string): void {
  rmSync(storeOf(copyId), { recursive: true, force: true })
}

/** The marker in the folder at a path; undefined without one. */
export function markerAt(path: string): FolderMarker | undefined {
  let root: Directory | undefined
  try {
    root = Directory.root(path)
    return readFolderMarker(root)
  } catch {
    return undefined
  } finally {
    root?.close()
  }
}

/**
 * The copy that the folder at a real path is; undefined when it is none of this machine. One that was moved is found by its marker;
 * one that was copied bears the marker of another one, and is none.
 */
export function copyAt(folder: string): Copy | undefined {
  const marker = markerAt(folder)
  const copy = marker === undefined ? undefined : readCopy(marker.copy)
  if (marker === undefined || copy?.driveId !== marker.drive) return undefined
  if (copy.folder === folder) return copy
  const isCopied = realPath(copy.folder) !== folder && markerAt(copy.folder)?.copy === copy.copyId
  return isCopied ? undefined : { ...copy, folder }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function drivesDirectory(): string {
  return join(stateDirectory(), 'drives')
}
