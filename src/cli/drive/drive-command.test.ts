import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startProgress } from '../../drive/progress.ts'
import type { DriveStatus } from '../../drive/drive-api.ts'
import type { DrivePreview } from '../../drive/preview.ts'
import { run } from '../program.ts'
import { Rate } from '../rate.ts'
import { Terminal } from '../terminal.ts'
import { parseByteRate } from './byte-rate.ts'
import { newCopyId, writeCopy, type Copy } from './copy-state.ts'
import { driveLine } from './drive-line.ts'
import { picked, pickOptions } from './picking.ts'
import { reportPreview } from './preview-report.ts'

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'plait-drive-command-'))
  vi.stubEnv('XDG_STATE_HOME', join(base, 'state'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true })
})

class Listening extends Terminal {
  printed = ''
  noted = ''

  override print(line: string): void {
    this.printed += `${line}\n`
  }

  override note(text: string): void {
    this.noted += `${text}\n`
  }
}

const terminal = new Listening()

beforeEach(() => {
  terminal.printed = terminal.noted = ''
})

async function plait(...args: readonly string[]): Promise<{ code: number; printed: string; noted: string }> {
  terminal.printed = terminal.noted = ''
  const code = await run(args, terminal)
  // None of these makes anything.
  expect(existsSync(join(base, 'state'))).toBe(false)
  return { code, printed: terminal.printed, noted: terminal.noted }
}

const commands = 'share clone sync ls cat conflicts log restore verify repair resolve invite revoke'.split(' ')

it.each(commands)('explains %s, with an example, and takes --json', async (command) => {
  const { code, printed } = await plait(command, '--help')
  expect([code, printed]).toEqual([0, expect.stringMatching(new RegExp(`Usage: plait ${command} .*Example:`, 's'))])
  expect(printed).toMatch(/^ {2}--json /m)
})

it.each([
  [['cat', 'x']],
  [['cat', 'x', 'y', '--start', '-1']],
  [['cat', 'x', 'y', '--end', '1.5']],
  [['resolve', 'x', 'y', '--keep', 'both']],
  [['resolve', 'x']],
  [['verify']],
  [['repair', 'x', '--wait', '0']],
  [['share', 'x', '--limit', 'fast']],
  [['sync', 'x', '--limit', '63k']],
  [['ls']],
])('does not understand %j', async (args) => {
  expect(await plait(...args)).toMatchObject({ code: 2, printed: '' })
})

it('says what to do with a folder that is none of plait, or none at all, in words and as JSON', async () => {
  const folder = join(base, 'folder')
  mkdirSync(folder)
  const rest: Readonly<Record<string, readonly string[]>> = { cat: ['a'], resolve: ['a'], restore: ['1/1', 'a'] }
  for (const command of ['sync', 'ls', 'cat', 'conflicts', 'log', 'restore', 'verify', 'repair', 'resolve', 'invite']) {
    const strange = await plait(command, folder, ...(rest[command] ?? []))
    expect([strange.code, strange.noted], command).toEqual([
      1,
      `plait: ${folder} is neither shared nor cloned here; begin with \`plait share\` or \`plait clone\`\n`,
    ])
    const none = await plait(command, join(base, 'none'), ...(rest[command] ?? []), '--json')
    expect([none.code, none.noted, JSON.parse(none.printed)], command).toEqual([
      1,
      '',
      expect.objectContaining({ event: 'error', code: 'FILE_FAILED', message: expect.stringContaining('name a') }),
    ])
  }
})

it('says that a folder is one of plait whose marker is gone, as where nothing is mounted, or that it is gone', async () => {
  const folder = join(base, 'folder')
  mkdirSync(folder)
  writeCopy({ copyId: newCopyId(), folder: realpathSync(folder), origin: 'clone', driveId: 'a drive' })
  const said: string[] = []
  for (const step of [() => undefined, () => rmSync(folder, { recursive: true })]) {
    step()
    terminal.noted = ''
    expect(await run(['sync', folder], terminal)).toBe(1)
    said.push(terminal.noted)
  }
  expect(said[0]).toContain('its marker in .plait/ is gone: perhaps its disk is not mounted; mount it, or clone')
  expect(said[1]).toContain('does not exist now; name a folder that is there, or mount its disk')
})

it('says what would be shared, and makes nothing', async () => {
  const folder = join(base, 'folder')
  mkdirSync(join(folder, 'd'), { recursive: true })
  writeFileSync(join(folder, 'd/a'), 'four')
  writeFileSync(join(folder, 'b.tmp'), 'left out')
  const { code, printed, noted } = await plait('share', folder, '--dry-run', '--ignore', '*.tmp')
  expect([code, printed, noted]).toEqual([0, 'd/\nd/a\n', 'would share 1 file, 4 B; nothing was done\n'])
  const json = await plait('share', folder, '--dry-run', '--json', '--only', '/b.tmp')
  expect(
    json.printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { event: 'outgoing', kind: 'create', path: 'b.tmp', size: 8 },
    { event: 'preview', outgoing: 1, bytes: 8 },
  ])
  expect(existsSync(join(folder, '.plait'))).toBe(false)
})

it('reads rates as people write them', () => {
  expect(['64k', '500k', '1.5M', '2MB/s', '100 kB', '1G', '70000'].map(parseByteRate)).toEqual([
    64_000, 500_000, 1_500_000, 2_000_000, 100_000, 1_000_000_000, 70_000,
  ])
  for (const text of ['', 'k', '-1M', '1T', '1M/min', '63999', '1e9', '9999999999G']) {
    expect(() => parseByteRate(text), text).toThrow(/It must be/)
  }
})

it('keeps what takes part until it is told otherwise', () => {
  const copy: Copy = { copyId: 'x', folder: '/x', origin: 'clone', only: ['a'], ignore: ['b'], isReadOnly: true }
  expect(picked(copy, {})).toEqual(copy)
  const { only: _only, ignore: _ignore, ...bare } = copy
  expect(picked(copy, { everything: true })).toEqual(bare)
  expect(picked(copy, { only: ['c', 'd'] })).toEqual({ ...bare, only: ['c', 'd'] })
  expect(picked(copy, { everything: true, ignore: ['e'], readOnly: false })).toEqual({
    ...{ copyId: 'x', folder: '/x', origin: 'clone', ignore: ['e'] },
  })
  expect(pickOptions(copy, 70_000)).toEqual({ only: ['a'], ignore: ['b'], isReadOnly: true, bytesPerSecondMax: 70_000 })
  expect(pickOptions({ copyId: 'x', folder: '/x', origin: 'clone' }, undefined)).toEqual({})
})

it('says in one line what a drive is doing', () => {
  const rate = new Rate()
  rate.add(0, 0, 0)
  rate.add(1_000, 4, 2_000_000)
  const progress = { ...startProgress(), entries: 12, listed: true, filesTotal: 10, bytesTotal: 4_000_000 }
  const status: DriveStatus = {
    ...{ id: 'x', folder: '/x', role: 'read', phase: 'applying', hold: undefined, problems: [], connected: 2 },
    progress: { ...progress, filesDone: 4, bytesDone: 2_000_000, path: 'd/film' },
    counts: { resumedBytes: 0, localBytes: 0, remoteBytes: 0, remoteChunks: 0 },
  }
  const line = (changes: Partial<DriveStatus>): string | undefined => driveLine({ ...status, ...changes }, rate)
  expect(line({})).toBe('4 of 10 files, 2.00 MB of 4.00 MB, 2.00 MB/s, 1.0 s left, 2 peers, d/film')
  expect(line({ connected: 0, phase: 'looking' })).toBe('looking at the folder, nobody connected')
  expect(line({ connected: 1, phase: 'publishing' })).toBe('telling the others what has changed, 1 peer')
  expect(line({ phase: 'idle' })).toBe('up to date, 4 files fetched (2.00 MB), 2 peers')
  expect(line({ phase: 'idle', hold: { reason: 'marker-gone' } })).toBe('waiting, 4 files fetched (2.00 MB), 2 peers')
  expect(line({ progress: { ...progress, filesDone: 10 } })).toBe('setting names, times and modes, 2 peers')
  const slow = new Rate()
  slow.add(0, 0, 0)
  slow.add(1_000, 0, 1)
  expect(driveLine(status, slow)).toBe('4 of 10 files, 2.00 MB of 4.00 MB, 1 B/s, 2 peers, d/film')
  expect([line({ phase: 'joining' }), line({ progress: startProgress() })]).toEqual([undefined, undefined])
})

it('says what a sync would do, and no name moves the cursor', () => {
  const preview: DrivePreview = {
    incoming: [
      { kind: 'change', path: 'a\n', size: 5_000 },
      { kind: 'move', path: 'c', from: 'b', size: 0 },
    ],
    outgoing: [{ kind: 'delete', path: 'gone', size: 0 }],
    problems: [{ path: 'x\u001b', reason: 'is in the way' }],
    hold: { reason: 'many-deletions', deleted: 20, files: 30 },
  }
  reportPreview(preview, terminal, false)
  expect(terminal.printed).toBe('here:   change  a\\n  (5.00 kB)\nhere:   move    b -> c\nthere:  delete  gone\n')
  expect(terminal.noted).toBe(
    'x\\e is in the way\nwould wait: 20 of 30 files would be deleted: if that is meant, run plait sync with --allow-deletions\n' +
      'would be done: 2 changes here (5.00 kB of content), 1 change there; nothing was done\n',
  )
  terminal.printed = terminal.noted = ''
  reportPreview({ incoming: [], outgoing: [], problems: [], hold: undefined }, terminal, false)
  expect([terminal.printed, terminal.noted]).toEqual(['', 'nothing would be done\n'])
})
