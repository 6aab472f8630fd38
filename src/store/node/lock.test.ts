import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { lockStore } from './lock.ts'

// Between processes: S5 in conformance/store.

const folder = mkdtempSync(join(tmpdir(), 'plait-lock-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('is held by one owner until it is released, in a folder that is made for it', async () => {
  const place = join(folder, 'a/b')
  const release = await lockStore(place)
  await expect(lockStore(place)).rejects.toMatchObject({
    code: 'STORE_IN_USE',
    facts: { path: place, pid: process.pid },
  })
  release()
  release()
  const again = await lockStore(place)
  await expect(lockStore(place)).rejects.toMatchObject({ code: 'STORE_IN_USE' })
  again()
})

it('says why it cannot be had where no folder can be', async () => {
  writeFileSync(join(folder, 'file'), '')
  await expect(lockStore(join(folder, 'file/store'))).rejects.toMatchObject({ code: 'FILE_FAILED' })
})
