import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { describeTree, differences } from '../../scripts/demo/tree-description.ts'
import { count, fullCounts, withinMs } from '../counts.ts'
import { isListening, type Program } from '../support/process.ts'
import { jsonLines, makePlace, runClone, runPlait, startClone, startShare, type Place } from './place.ts'

const temporary = (place: Place): readonly string[] => readdirSync(join(place.target, '.plait/tmp'))

/** Files of every size class, each of one byte value, so that a mix of two or half of one is easy to see. */
function fill(place: Place, files: number, largeBytes: number): void {
  for (let index = 0; index < files; index += 1) {
    mkdirSync(join(place.source, `d${index % 20}`), { recursive: true })
    writeFileSync(
      join(place.source, `d${index % 20}`, `f${index}`),
      new Uint8Array(1 + ((index * 997) % 20_000)).fill(index),
    )
  }
  for (const name of ['large1', 'large2']) writeFileSync(join(place.source, name), new Uint8Array(largeBytes).fill(9))
}

/** Each file that has its name is whole. */
function expectWhole(place: Place): number {
  let files = 0
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(place.target, path), { withFileTypes: true })) {
      const inner = join(path, entry.name)
      if (entry.isDirectory()) {
        if (inner !== '.plait') visit(inner)
      } else {
        files += 1
        expect(readFileSync(join(place.target, inner)).equals(readFileSync(join(place.source, inner))), inner).toBe(
          true,
        )
      }
    }
  }
  visit('')
  return files
}

/** Of the small files: no two are the same, and the large ones repeat one chunk. */
function contentBytes({ source }: Place): number {
  const names = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('/f'))
  return names.reduce((sum, name) => sum + statSync(join(source, name)).size, 0)
}

async function untilSomethingCame(place: Place, program: Program): Promise<void> {
  for (;;) {
    try {
      if (!program.running || readdirSync(join(place.target, 'd0')).length > 0) return
    } catch {
      // The folder is not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

it('D2: the receiver is killed again and again, never leaves a partial file under its name, and goes on from there', async () => {
  const place = makePlace()
  const files = fullCounts ? 3_000 : 1_500
  fill(place, files, 20_000_000)
  const { link } = await startShare(place)
  const kills = count(200, 4)
  let fetched = 0
  for (let index = 0; index < kills; index += 1) {
    const program = startClone(place, link)
    await untilSomethingCame(place, program)
    await new Promise((resolve) => setTimeout(resolve, (index * 37) % 120))
    await program.kill('SIGKILL')
    const whole = expectWhole(place)
    expect(whole).toBeGreaterThanOrEqual(fetched)
    fetched = whole
  }
  const last = await runClone(place, link, ['--json'])
  expect(last.code, last.stdout.slice(-1_000)).toBe(0)
  expect(jsonLines(last.stdout).at(-1)).toMatchObject({ filesDone: files + 2 - fetched, unchanged: fetched })
  // Each time some are under way that have not got their names: no more than a tenth of all is sent again.
  const [status] = jsonLines((await runPlait(place, ['status', '--json'])).stdout)
  const { sent } = (status as unknown as { readonly stats: { readonly bytes: { readonly sent: number } } }).stats.bytes
  expect(sent).toBeLessThan(1.1 * contentBytes(place))
  expect(differences(describeTree(place.source), describeTree(place.target))).toEqual([])
  expect(temporary(place)).toEqual([])
})

it('Ctrl-C ends a clone in order, and the next run goes on', async () => {
  const place = makePlace()
  fill(place, 2_000, 60_000_000)
  const { link } = await startShare(place)
  const program = startClone(place, link)
  await untilSomethingCame(place, program)
  const start = performance.now()
  program.signal('SIGINT')
  const { code, stderr } = await program.outcome()
  expect(performance.now() - start).toBeLessThan(withinMs(2_000))
  expect([code, stderr]).toEqual([1, 'plait: stopped; run the same command again to go on\n'])
  expectWhole(place)
  expect(temporary(place)).toEqual([])
  expect((await runClone(place, link)).code).toBe(0)
})

it.each(['SIGINT', 'SIGTERM'] as const)(
  'D9: %s ends a share in under 2 s, also in the middle of a clone',
  async (name) => {
    const place = makePlace()
    fill(place, 2_000, 60_000_000)
    const { link, program, port } = await startShare(place)
    const clone = startClone(place, link)
    await untilSomethingCame(place, clone)
    const start = performance.now()
    program.signal(name)
    const { code } = await program.outcome()
    expect(performance.now() - start).toBeLessThan(withinMs(2_000))
    expect(code).toBe(0)
    expect(await isListening(port)).toBe(false)
    const outcome = await clone.outcome()
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toMatch(
      /(?:^|\n)plait: the sharing side stopped before all was here; run the same command again to go on\n$/,
    )
    expect([expectWhole(place) > 0, temporary(place)]).toEqual([true, []])
  },
)

it('D9: Ctrl-C ends a share in under 2 s even when who is fetching has stopped answering', async () => {
  const place = makePlace()
  fill(place, 200, 60_000_000)
  const { link, program } = await startShare(place)
  const clone = startClone(place, link)
  await untilSomethingCame(place, clone)
  clone.signal('SIGSTOP')
  const start = performance.now()
  program.signal('SIGINT')
  const { code } = await program.outcome()
  expect(performance.now() - start).toBeLessThan(withinMs(2_000))
  expect(code).toBe(0)
})

it('a second Ctrl-C ends a share at once', async () => {
  const place = makePlace()
  const { program } = await startShare(place)
  program.signal('SIGINT')
  program.signal('SIGINT')
  const { code, signal } = await program.outcome({ timeoutMs: withinMs(2_000) })
  // One that comes when Node has already taken its handlers down ends it as it ends any program.
  expect([0, 130, 'SIGINT']).toContain(signal ?? code)
})

it('a clone whose sharer is killed says so, and keeps what is whole', async () => {
  const place = makePlace()
  fill(place, 2_000, 60_000_000)
  const { link, program } = await startShare(place)
  const clone = startClone(place, link, ['--wait', '2'])
  await untilSomethingCame(place, clone)
  await program.kill('SIGKILL')
  const { code, stderr } = await clone.outcome({ timeoutMs: 60_000 })
  expect(code).toBe(1)
  const said = stderr.trimEnd().split('\n')
  expect([said[0], said.at(-1)]).toEqual([
    expect.stringMatching(/^the connection was lost; trying for 2 s/),
    expect.stringMatching(/^plait: the sharing side stopped/),
  ])
  expect([expectWhole(place) > 0, temporary(place)]).toEqual([true, []])
})

it('D8: a full disk is a clear error without a partial file, and the next run goes on', async ({ skip }) => {
  const place = makePlace()
  fill(place, 200, 10_000_000)
  mkdirSync(place.target)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', place.target], { stdio: 'pipe' })
  } catch {
    skip('it needs to mount a tmpfs, which takes root')
  }
  onTestFinished(() => void execFileSync('umount', ['-l', place.target]))
  const { link } = await startShare(place)
  const full = await runClone(place, link)
  expect(full.code).toBe(1)
  expect(full.stderr).toMatch(/^plait: the disk is full at .*; free some space and run the same command again\n$/)
  expect(temporary(place)).toEqual([])
  const whole = expectWhole(place)
  execFileSync('mount', ['-o', 'remount,size=64m', place.target])
  const again = await runClone(place, link, ['--json'])
  expect(again.code).toBe(0)
  expect(jsonLines(again.stdout).at(-1)).toMatchObject({ unchanged: whole })
  expect(expectWhole(place)).toBe(202)
  expect(statSync(join(place.target, 'large1')).size).toBe(10_000_000)
})
