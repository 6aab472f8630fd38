import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { PlaitError } from '../base/error.ts'
import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import { fileError } from '../drive/disk/file-error.ts'
import type { MarkerRole } from '../drive/disk/marker.ts'
import { driveIdBytes, isDriveId, secretBytes } from '../drive/share-link.ts'

/** What this machine keeps of one copy of a drive, outside of its folder and readable by its owner only. */
export interface Replica {
  readonly replicaId: string
  readonly driveId: string
  readonly role: MarkerRole
  /** Real path of the folder. */
  readonly folder: string
  /** Whether the folder bears a marker; one that cannot be written to is known by its path. */
  readonly marked: boolean
  /** Of a share: what its link grants reading with, and where it listened last. */
  readonly secret?: Uint8Array
  readonly port?: number
  readonly nodeId?: string
}

const fileName = 'replica.json'

export function newId(): string {
  return encodeBase32(randomBytes(driveIdBytes))
}

export function newSecret(): Uint8Array {
  return Uint8Array.from(randomBytes(secretBytes))
}

/** Where the key of a replica is kept. */
export function keyFile(replicaId: string): string {
  return join(directoryOf(replicaId), 'key')
}

/** The replica, or undefined when nothing (readable) is kept of it. */
export function readReplica(replicaId: string): Replica | undefined {
  try {
    return parse(replicaId, readFileSync(join(directoryOf(replicaId), fileName), 'utf8'))
  } catch {
    return undefined
  }
}

/** All replicas of this user on this machine. */
export function listReplicas(): readonly Replica[] {
  let names: readonly string[]
  try {
    names = readdirSync(drivesDirectory())
  } catch {
    return []
  }
  return names.filter(isDriveId).flatMap((name) => readReplica(name) ?? [])
}

/** What plait keeps on this machine. As the XDG base directory specification says: relative values count as unset. */
export function stateDirectory(): string {
  const state = process.env['XDG_STATE_HOME']
  return join(state?.startsWith('/') ? state : join(homedir(), '.local', 'state'), 'plait')
}

/** Keeps the replica; whole or not at all. Throws `FILE_FAILED` or `NO_SPACE`. */
export function writeReplica(replica: Replica): void {
  const directory = directoryOf(replica.replicaId)
  const path = join(directory, fileName)
  const { secret, ...rest } = replica
  const text = JSON.stringify(secret === undefined ? rest : { ...rest, secret: encodeBase32(secret) }, undefined, 2)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch (error) {
    throw fileError(error, path)
  }
}

/** Forgets a replica that never came to anything. Throws `FILE_FAILED`. */
export function removeReplica(replicaId: string): void {
  try {
    rmSync(directoryOf(replicaId), { recursive: true, force: true })
  } catch (error) {
    throw fileError(error, directoryOf(replicaId))
  }
}

function directoryOf(replicaId: string): string {
  if (!isDriveId(replicaId))
    throw new PlaitError('INVALID_ARGUMENT', 'a replica id has 26 characters out of a-z and 2-7')
  return join(drivesDirectory(), replicaId)
}

function drivesDirectory(): string {
  return join(stateDirectory(), 'drives')
}

function parse(replicaId: string, text: string): Replica | undefined {
  const { driveId, role, folder, marked, secret, port, nodeId } = JSON.parse(text) as Record<string, unknown>
  if (typeof driveId !== 'string' || !isDriveId(driveId) || typeof folder !== 'string') return undefined
  const base = {
    replicaId,
    driveId,
    folder,
    marked: marked === true,
    ...(typeof nodeId === 'string' ? { nodeId } : {}),
  }
  if (role === 'clone') return { ...base, role }
  const bytes = typeof secret === 'string' ? decodeBase32(secret) : undefined
  if (role !== 'share' || bytes?.length !== secretBytes) return undefined
  return { ...base, role, secret: bytes, ...(typeof port === 'number' ? { port } : {}) }
}
