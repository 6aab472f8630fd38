import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { count } from '../counts.ts'
import { startProgram, type Program } from '../support/process.ts'
import { makePlace, runClone, startShare } from './place.ts'

// What others do to the folders while plait works in them.

const directories = 20
const filesEach = 20

/** Puts a symbolic link in the place of each directory in turn, for a moment, as fast as it can. */
const swapper = `
import { renameSync, symlinkSync, unlinkSync } from 'node:fs'
const [,, root, outside] = process.argv
for (let round = 0; ; round += 1) {
  const directory = root + '/sub' + (round % ${directories})
  try { renameSync(directory, directory + '.aside') } catch { continue }
  try { symlinkSync(outside, directory) } catch {}
  for (let spin = 0; spin < round % 20000; spin += 1);
  try { unlinkSync(directory) } catch {}
  try { renameSync(directory + '.aside', directory) } catch {}
}
`

it('D5: directories that are swapped for symbolic links in a loop lead neither side out of its folder', async () => {
  const place = makePlace()
  const [secrets, outside] = [join(place.base, 'secrets'), join(place.base, 'outside')]
  for (const path of [secrets, outside]) mkdirSync(path)
  for (let index = 0; index < directories * filesEach; index += 1) {
    const directory = join(place.source, `sub${index % directories}`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `f${index}`), 'inside')
    writeFileSync(join(secrets, `f${index}`), 'secret')
  }
  writeFileSync(join(place.base, 'swapper.mjs'), swapper)
  const swap = (root: string, to: string): Program => startProgram(join(place.base, 'swapper.mjs'), [root, to])
  const { link } = await startShare(place)
  await runClone(place, link)
  const swappers = [swap(place.source, secrets), swap(place.target, outside)]
  const end = performance.now() + count(60_000, 3_000)
  let fetched = 0
  do {
    // All is fetched again, as far as the swappers leave it within reach: what is deleted in a copy would stay away.
    for (const name of readdirSync(place.target)) {
      if (name.startsWith('sub') || name === '.plait')
        rmSync(join(place.target, name), { recursive: true, force: true })
    }
    const { code, stdout } = await runClone(place, link, ['--merge'])
    expect([0, 1]).toContain(code)
    fetched += Number(/ ([\d,]+) files? fetched /.exec(stdout)?.[1]?.replace(',', '') ?? 0)
    expect(readdirSync(outside)).toEqual([])
  } while (performance.now() < end)
  await Promise.all(swappers.map((program) => program.kill()))
  expect(fetched).toBeGreaterThan(0)
  expect(contentsBelow(place.target)).toEqual(new Set(['inside']))
}, 300_000)

/** The contents of all files in `sub...`; symbolic links are not followed. */
function contentsBelow(root: string): ReadonlySet<string> {
  const contents = new Set<string>()
  for (const name of readdirSync(root).filter((each) => each.startsWith('sub'))) {
    if (!lstatSync(join(root, name)).isDirectory()) continue
    for (const file of readdirSync(join(root, name))) {
      const path = join(root, name, file)
      if (lstatSync(path).isFile()) contents.add(readFileSync(path, 'utf8'))
    }
  }
  return contents
}

/** Writes one version after the other over the file, each of one byte value, block by block, and rests in between. */
const rewriter = `
import { openSync, writeSync } from 'node:fs'
const [,, path, size, blockBytes, blockPauseMs, pauseMs] = process.argv
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const fd = openSync(path, 'r+')
for (let version = 0; ; version += 1) {
  const block = Buffer.alloc(Number(blockBytes), version % 256)
  for (let offset = 0; offset < Number(size); offset += block.length) {
    writeSync(fd, block, 0, block.length, offset)
    if (blockPauseMs > 0) await rest(blockPauseMs)
  }
  await rest(Math.random() * pauseMs)
}
`

it.each([
  ['small', { size: 40_000, blockBytes: 4_000, blockPauseMs: 6, pauseMs: 400 }],
  ['large', { size: 12_000_000, blockBytes: 60_000, blockPauseMs: 0, pauseMs: 400 }],
] as const)(
  'D7: a %s file that is rewritten while it is sent arrives as one version or not at all',
  async (_, { size, blockBytes, blockPauseMs, pauseMs }) => {
    const place = makePlace()
    const path = join(place.source, 'file')
    writeFileSync(path, new Uint8Array(size))
    writeFileSync(join(place.base, 'rewriter.mjs'), rewriter)
    const args = [path, size, blockBytes, blockPauseMs, pauseMs].map(String)
    startProgram(join(place.base, 'rewriter.mjs'), args)
    const { link } = await startShare(place)
    const versions = new Set<number>()
    const runs = count(100, 8)
    for (let run = 0; run < runs; run += 1) {
      const { code, stderr } = await runClone(place, link)
      if (code !== 0) {
        expect(stderr).toMatch(/^not copied: file waits for somebody who has it/m)
      }
      if (!readdirSync(place.target).includes('file')) continue
      const copy = readFileSync(join(place.target, 'file'))
      expect(copy.length).toBe(size)
      expect(copy.every((byte) => byte === copy[0])).toBe(true)
      versions.add(copy[0] as number)
    }
    expect(versions.size).toBeGreaterThan(1)
  },
  1_200_000,
)
