import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runProgram, type Outcome } from '../support/process.ts'
import { makePlace } from './place.ts'

const demo = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url))

/** Runs the demo with a folder for temporary files of its own, and sees that nothing stays there. */
async function runDemo(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const place = makePlace()
  const outcome = await runProgram(demo, args, { env: { TMPDIR: place.base, ...env } })
  expect(readdirSync(place.base)).toEqual(['source'])
  return outcome
}

function hashes(stdout: string): readonly (string | undefined)[] {
  return ['source', 'copy  '].map((name) => new RegExp(`^${name} ([0-9a-f]{64}) `, 'm').exec(stdout)?.[1])
}

it('shows that a folder arrives as it was', async () => {
  const { code, stdout } = await runDemo([])
  expect(stdout).toMatch(/the same: every name, content, mode and time\n$/)
  const [source, copy] = hashes(stdout)
  expect(source).toBeDefined()
  expect([code, copy]).toEqual([0, source])
})

it('fails when one byte of the copy is flipped', async () => {
  const { code, stdout } = await runDemo([], { PLAIT_DEMO_CORRUPT: '1' })
  expect(stdout).toMatch(/\nNOT the same\n$/)
  const [source, copy] = hashes(stdout)
  expect(source).toBeDefined()
  expect(copy).toBeDefined()
  expect(copy).not.toBe(source)
  expect(code).toBe(1)
})

it('takes a folder of the user, and leaves nothing in it', async () => {
  const place = makePlace()
  mkdirSync(join(place.source, 'deep'))
  writeFileSync(join(place.source, 'deep/file'), 'content')
  const { code, stdout } = await runDemo([place.source])
  expect([code, stdout]).toEqual([0, expect.stringMatching(/ 3 files, 2 directories, 0 links, 47 bytes/)])
  expect(readdirSync(place.source)).toEqual(['deep'])
})

it('says what is wrong with a folder that is not there', async () => {
  const { code, stderr } = await runDemo(['/nowhere/at/all'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('plait: /nowhere/at/all does not exist')])
})
