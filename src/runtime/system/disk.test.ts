import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Disk } from '../disk.ts'
import { systemDisk } from './disk.ts'

let root: string
let disk: Disk

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'plait-disk-'))
  disk = systemDisk(root)
})
afterEach(() => rm(root, { recursive: true }))

it('writes at offsets, reads across the end, truncates, renames, lists and removes', async () => {
  await disk.makeDirectory('a/b')
  const file = await disk.open('a/b/log', { create: true })
  await file.write(3, Uint8Array.of(4, 5, 6))
  await file.write(0, Uint8Array.of(1, 2, 3))
  await file.sync()
  expect(await file.read(1, 100)).toEqual(Uint8Array.of(2, 3, 4, 5, 6))
  expect(await file.read(6, 1)).toEqual(new Uint8Array(0))
  expect(await file.read(2 ** 40, 2 ** 40)).toEqual(new Uint8Array(0))
  await file.truncate(2)
  expect(await file.size()).toBe(2)
  await file.close()
  await disk.rename('a/b/log', 'a/log')
  await disk.syncDirectory('a')
  expect(await disk.list('a')).toEqual(['b', 'log'])
  await disk.remove('a/log')
  await disk.remove('a/b')
  expect(await disk.list('a')).toEqual([])
})

it('refuses what is missing, what leaves the root, links and what is not a file', async () => {
  await writeFile(join(root, 'real'), 'x')
  await symlink(join(root, 'real'), join(root, 'link'))
  execFileSync('mkfifo', [join(root, 'pipe')])
  await expect(disk.open('none', { create: false })).rejects.toMatchObject({
    code: 'FILE_FAILED',
    facts: { reason: 'ENOENT' },
  })
  for (const path of ['link', '../x', '/etc/passwd', 'a//b', './a', 'a\0b', 'pipe']) {
    await expect(disk.open(path, { create: true }), path).rejects.toMatchObject({ code: 'PATH_REFUSED' })
  }
  await expect(disk.list('real')).rejects.toMatchObject({ code: 'FILE_FAILED' })
})
