import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { readMarker, writeMarker } from '../drive/disk/marker.ts'
import { createIdentity } from '../identity/identity.ts'
import { checkCloneTarget, openShareReplica } from './open-replica.ts'
import { listReplicas, newId, readReplica, removeReplica, writeReplica } from './replica-state.ts'

let base: string
let folder: string

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'plait-replica-')))
  folder = join(base, 'folder')
  mkdirSync(folder)
  vi.stubEnv('XDG_STATE_HOME', join(base, 'state'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true, force: true })
})

const open = (path: string) => {
  const replica = openShareReplica(path)
  writeReplica(replica)
  return replica
}
const link = {
  nodeId: createIdentity().id,
  addresses: [],
  driveId: newId(),
  role: 'read' as const,
  secret: new Uint8Array(32),
}

it('keeps what it knows where only its owner can read it', () => {
  const replica = open(folder)
  const file = join(base, 'state/plait/drives', replica.replicaId, 'replica.json')
  expect([statSync(file).mode & 0o777, statSync(join(file, '..')).mode & 0o777]).toEqual([0o600, 0o700])
  expect(readReplica(replica.replicaId)).toEqual(replica)
  expect(listReplicas()).toEqual([replica])
  expect(readFileSync(join(folder, '.plait/drive.json'), 'utf8')).not.toContain('secret')
  removeReplica(replica.replicaId)
  expect(listReplicas()).toEqual([])
})

it('knows a folder again, by its marker when it has moved', () => {
  const { driveId, secret, marked } = open(folder)
  expect(marked).toBe(true)
  const moved = join(base, 'moved')
  renameSync(folder, moved)
  expect(open(moved)).toMatchObject({ driveId, secret, folder: moved })
  mkdirSync(folder)
  expect(open(folder).driveId).not.toBe(driveId)
})

it('takes a copy for another drive, and leaves the marker of the first in it', () => {
  const first = open(folder)
  cpSync(folder, join(base, 'copy'), { recursive: true })
  const copy = open(join(base, 'copy'))
  expect(copy.driveId).not.toBe(first.driveId)
  expect(readMarker(copy.folder)?.driveId).toBe(first.driveId)
  expect(open(copy.folder).driveId).toBe(copy.driveId)
  expect(open(folder).driveId).toBe(first.driveId)
})

it('shares a clone as a drive of its own', () => {
  writeMarker(folder, { driveId: newId(), replicaId: newId(), role: 'clone' })
  const before = readMarker(folder)
  const replica = open(folder)
  expect(replica.driveId).not.toBe(before?.driveId)
  expect(readMarker(folder)).toEqual(before)
  expect(open(folder).driveId).toBe(replica.driveId)
})

it('takes damaged state for none', () => {
  const replica = open(folder)
  const file = join(base, 'state/plait/drives', replica.replicaId, 'replica.json')
  for (const text of ['', '{', '[]', 'null', '{"driveId":"x"}']) {
    writeFileSync(file, text)
    expect([text, readReplica(replica.replicaId)]).toEqual([text, undefined])
  }
  for (const text of ['', '{', 'null', '{"driveId":1}']) {
    writeFileSync(join(folder, '.plait/drive.json'), text)
    expect(readMarker(folder)).toBeUndefined()
  }
})

it('judges where a clone may go', () => {
  expect(checkCloneTarget(join(base, 'new'), link)).toMatchObject({ again: false, missing: true })
  expect(checkCloneTarget(folder, link)).toMatchObject({ again: false, missing: false })
  const replicaId = newId()
  writeMarker(folder, { driveId: link.driveId, replicaId, role: 'clone' })
  writeFileSync(join(folder, 'file'), '')
  expect(checkCloneTarget(folder, link)).toMatchObject({ again: true, replicaId })
  expect(() => checkCloneTarget(folder, { ...link, driveId: newId() })).toThrow(/belongs to another drive/)
  expect(() => checkCloneTarget(base, link)).toThrow(/is not empty; name a new or an empty folder/)
  expect(() => checkCloneTarget(join(folder, 'file'), link)).toThrow(/is not a folder/)
})
