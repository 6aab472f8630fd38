import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { jsonLines, makePlace, runClone, runPlait, startShare, type Place } from './place.ts'

const film = Uint8Array.from({ length: 1_200_000 }, (_, index) => (index * 2_654_435_761) >>> (index % 24))

function fill({ source }: Place): void {
  mkdirSync(join(source, 'd'))
  writeFileSync(join(source, 'd/film'), film)
  writeFileSync(join(source, 'notes.txt'), 'first\n')
  writeFileSync(join(source, 'old'), 'to be deleted')
}

/** Another byte at a place, under the time that the file had. */
function spoil(path: string): void {
  const time = Number(statSync(path, { bigint: true }).mtimeNs) / 1e9
  const bytes = readFileSync(path)
  bytes[700_000] = (bytes[700_000] ?? 0) ^ 1
  writeFileSync(path, bytes)
  utimesSync(path, time, time)
}

async function until(holds: () => boolean): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += 20) {
    if (waitedMs > 20_000) throw new Error('waited 20 s')
    await delay(20)
  }
}

const names = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name !== '.plait')
    .sort()

it('D9: looks into a drive by its link, clones it, verifies, repairs, resolves, restores and revokes', async () => {
  const place = makePlace()
  const { source, target } = place
  fill(place)
  const sharing = await startShare(place, ['--write', '--listen', '127.0.0.1:0'])
  const { link, program } = sharing
  const plait = async (code: number, ...args: readonly string[]): Promise<{ stdout: string; stderr: string }> => {
    const outcome = await runPlait(place, args)
    expect([outcome.code, outcome.code === code ? '' : outcome.stderr], args.join(' ')).toEqual([code, ''])
    return outcome
  }

  // By the link, and nothing is cloned.
  const listed = await plait(0, 'ls', link)
  expect(listed.stdout).toMatch(/^755 +0 B .* {2}d\/\n644 +1\.20 MB .* {2}d\/film\n644 +6 B .* {2}notes\.txt\n.*old\n$/)
  expect((await plait(0, 'cat', link, 'notes.txt')).stdout).toBe('first\n')
  expect((await plait(0, 'cat', link, 'notes.txt', '--start', '2', '--end', '4')).stdout).toBe('rs')
  expect((await plait(1, 'cat', link, 'd')).stderr).toBe('plait: d is no file of this drive; see `plait ls`\n')
  const dry = await plait(0, 'clone', link, target, '--dry-run')
  expect(dry.stdout).toContain('here:   create  d/film  (1.20 MB)\n')
  expect(existsSync(target)).toBe(false)

  // A copy, something in it that breaks, and what is left out of it.
  expect((await runClone(place, link)).code).toBe(0)
  expect((await plait(0, 'verify', target)).stderr).toBe('3 files read (1.20 MB): all as it should be\n')
  spoil(join(target, 'd/film'))
  rmSync(join(target, 'old'))
  const broken = await plait(1, 'verify', target)
  expect(broken.stdout).toBe('d/film does not hold what it did, though nobody has edited it\nold is missing\n')
  const repaired = await plait(0, 'repair', target)
  expect(repaired.stdout).toBe('repaired: d/film\nrepaired: old\n')
  expect(readFileSync(join(target, 'd/film')).equals(film)).toBe(true)
  expect(jsonLines((await plait(0, 'verify', target, '--json')).stdout)).toEqual([
    expect.objectContaining({ event: 'verified', files: 3, damaged: 0 }),
  ])

  // A conflict, and its end.
  writeFileSync(join(source, 'notes.txt'), 'of the source\n')
  writeFileSync(join(target, 'notes.txt'), 'of the target\n')
  await plait(0, 'sync', target, '--once')
  await until(() => names(source).length === 4)
  const [conflict] = jsonLines((await plait(0, 'conflicts', target, '--json')).stdout)
  const path = String(conflict?.['path'])
  const kept = readFileSync(join(target, path), 'utf8')
  await plait(0, 'resolve', target, path, '--keep', 'this')
  await plait(0, 'sync', target, '--once')
  for (const folder of [source, target]) {
    expect(names(folder)).toEqual(['d', 'notes.txt', 'old'])
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe(kept)
  }
  expect((await plait(0, 'conflicts', target)).stderr).toBe('no conflicts\n')

  // What was deleted comes back, with the program that shares running or not.
  rmSync(join(source, 'old'))
  const preview = await plait(0, 'sync', target, '--dry-run')
  expect([preview.stdout, existsSync(join(target, 'old'))]).toEqual(['here:   delete  old\n', true])
  await plait(0, 'sync', target, '--once')
  expect(existsSync(join(target, 'old'))).toBe(false)
  const history = jsonLines((await plait(0, 'log', target, '--json')).stdout)
  const id = String(history.find((entry) => entry['path'] === 'old' && entry['why'] === 'deleted')?.['id'])
  expect((await plait(1, 'restore', target, id, 'notes.txt')).stderr).toContain('choose another path')
  await plait(0, 'restore', target, id, 'again')
  await plait(0, 'sync', target, '--once')
  expect(readFileSync(join(source, 'again'), 'utf8')).toBe('to be deleted')
  expect((await plait(0, 'cat', source, 'again')).stdout).toBe('to be deleted')

  // Nobody comes by a link that was revoked, and another one is printed the next time.
  await plait(0, 'revoke', source, link)
  const late = await runPlait(place, ['clone', link, join(place.base, 'late'), '--once'])
  expect([late.code, late.stderr]).toEqual([1, 'plait: this link was revoked; ask for another one\n'])
  await plait(0, 'sync', target, '--once')
  expect((await program.kill('SIGINT')).code).toBe(0)
  const again = await startShare(place)
  expect(again.link).not.toBe(link)
})

it('shares until somebody has everything, what is left out of it aside', async () => {
  const place = makePlace()
  fill(place)
  const { program, link } = await startShare(place, ['--once', '--listen', '127.0.0.1:0', '--ignore', 'old'])
  expect((await runClone(place, link, ['--only', 'd', '--limit', '2M'])).code).toBe(0)
  const { code, stderr } = await program.outcome()
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^[a-z2-7]{8}\.\.\. has everything$/m)])
  expect([names(place.target), readdirSync(join(place.target, 'd'))]).toEqual([['d'], ['film']])
  // Later all of it: what was left out comes, and nothing has been deleted.
  const live = await startShare(place, ['--everything'])
  await runClone(place, live.link, ['--everything'])
  expect(names(place.target)).toEqual(['d', 'notes.txt', 'old'])
  expect(names(place.source)).toEqual(['d', 'notes.txt', 'old'])
})

it('ends a clone in time, and names what nobody has who is there', async () => {
  const place = makePlace()
  fill(place)
  const { link } = await startShare(place, ['--write', '--listen', '127.0.0.1:0', '--ignore', 'elsewhere'])
  expect((await runClone(place, link)).code).toBe(0)
  writeFileSync(join(place.target, 'elsewhere'), 'with one who has gone')
  expect((await runPlait(place, ['sync', place.target, '--once'])).code).toBe(0)
  const late = await runClone({ ...place, target: join(place.base, 'late') }, link, ['--wait', '2'])
  expect(late.code).toBe(1)
  expect(late.stderr).toMatch(/^not copied: elsewhere waits for somebody who has it: nobody who is connected does$/m)
  expect(late.stdout).toMatch(/3 files fetched .*, 1 not copied, see above\n$/)
  expect((await runPlait(place, ['cat', place.target, 'elsewhere'])).stdout).toBe('with one who has gone')
})
