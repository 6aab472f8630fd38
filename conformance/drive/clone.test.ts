import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeSampleTree } from '../../scripts/demo/sample-tree.ts'
import { describeTree, differences } from '../../scripts/demo/tree-description.ts'
import { count } from '../counts.ts'
import { jsonLines, makePlace, runClone, runPlait, startShare, type Place } from './place.ts'

function expectSame(place: Place): void {
  expect(differences(describeTree(place.source), describeTree(place.target))).toEqual([])
}

it('D1: brings a folder over with contents, modes, times, links and empty directories, and does nothing when run again', async () => {
  const place = makePlace()
  makeSampleTree(place.source)
  chmodSync(join(place.source, 'notes/2024'), 0o555)
  const { link } = await startShare(place)
  const first = await runClone(place, link)
  expect([first.code, first.stderr]).toEqual([0, ''])
  expect(first.stdout).toMatch(/^\S+\/target: 210 files fetched \(5\.42 MB in .*\)\n$/)
  expectSame(place)
  const inodes = (): readonly bigint[] =>
    readdirSync(place.target).map((name) => lstatSync(join(place.target, name), { bigint: true }).ctimeNs)
  const before = inodes()
  const second = await runClone(place, link, ['--json'])
  expect(second.code).toBe(0)
  expect(jsonLines(second.stdout).at(-1)).toMatchObject({ event: 'summary', filesTotal: 0, unchanged: 210, failed: 0 })
  expect(inodes()).toEqual(before)
  expectSame(place)
})

it('D1: brings many small files and one large one', async () => {
  const place = makePlace()
  const files = count(10_000, 400)
  const megabytes = count(1_024, 48)
  for (let index = 0; index < files; index += 1) {
    const directory = join(place.source, `d${index % 500}`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `f${index}`), new Uint8Array(1_024 + ((index * 7_919) % 7_168)).fill(index))
  }
  for (let index = 0; index < megabytes; index += 1)
    appendFileSync(join(place.source, 'large'), new Uint8Array(1_048_576).fill(index))
  const { link } = await startShare(place)
  const { code } = await runClone(place, link)
  expect(code).toBe(0)
  expectSame(place)
})

it('fetches only what has changed', async () => {
  const place = makePlace()
  makeSampleTree(place.source)
  const { link } = await startShare(place)
  await runClone(place, link)
  appendFileSync(join(place.source, 'README'), 'more')
  utimesSync(join(place.source, 'media/large.bin'), 12, 13)
  chmodSync(join(place.source, 'bin/tool'), 0o700)
  writeFileSync(join(place.target, 'mine'), 'only here')
  const again = await runClone(place, link, ['--json'])
  // The large file differs in its time only: it is compared by hash, and its content does not travel.
  expect(jsonLines(again.stdout).at(-1)).toMatchObject({ filesDone: 1, bytesDone: 21, unchanged: 209 })
  expect(readFileSync(join(place.target, 'mine'), 'utf8')).toBe('only here')
  const different = differences(describeTree(place.source), describeTree(place.target))
  expect(different.every((line) => line.startsWith('"mine"'))).toBe(true)
})

it('D6: names what cannot be shared, brings the rest, and does not let names move the cursor', async () => {
  const place = makePlace()
  const at = (name: string): string => join(place.source, name)
  makeSampleTree(place.source)
  execFileSync('mkfifo', [at('fifo')])
  const server = createServer().listen(at('socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  symlinkSync('/etc/passwd', at('absolute'))
  symlinkSync('../../outside', at('names/out\u001b[2Jward'))
  writeFileSync(at('setuid'), 'x')
  chmodSync(at('setuid'), 0o6755)
  writeFileSync(at('Case'), 'upper')
  writeFileSync(at('case'), 'lower')
  const { link, program } = await startShare(place)
  const { code, stdout, stderr } = await runClone(place, link)
  // Who shares is told what is not shared; others never hear of it.
  expect([code, stderr]).toEqual([0, ''])
  expect(program.stderr.split('\n').filter((line) => line.startsWith('not shared'))).toEqual([
    'not shared: absolute is a symbolic link to an absolute path',
    'not shared: fifo is a FIFO, which cannot be shared',
    'not shared: names/out\\e[2Jward is a symbolic link that leads out of the folder',
    'not shared: socket is a socket, which cannot be shared',
  ])
  expect(stdout).toMatch(/213 files fetched \(.*\)\n$/)
  for (const text of [stderr, stdout, program.stderr]) expect(text).not.toMatch(/\u001b/)
  expect(lstatSync(join(place.target, 'setuid')).mode & 0o7777).toBe(0o755)
  expect([readFileSync(join(place.target, 'Case'), 'utf8'), readFileSync(join(place.target, 'case'), 'utf8')]).toEqual([
    'upper',
    'lower',
  ])
  const different = differences(describeTree(place.source), describeTree(place.target))
  // Its socket goes with it.
  server.close()
  expect(different.map((line) => JSON.parse(line.slice(0, line.indexOf('": ') + 1)) as string)).toEqual([
    'absolute',
    'fifo',
    'names/out\u001b[2Jward',
    'setuid',
    'socket',
  ])
})

it('D6: reports a file that it may not read', async ({ skip }) => {
  const place = makePlace()
  mkdirSync(join(place.source, 'closed'))
  for (const name of ['closed/inside', 'open', 'unreadable']) writeFileSync(join(place.source, name), name)
  for (const name of ['closed', 'unreadable']) chmodSync(join(place.source, name), 0)
  const isRoot = process.getuid?.() === 0
  if (isRoot && (lstatSync(process.execPath).mode & 0o005) !== 0o005)
    skip('as root, it needs a Node that another user may run')
  // Root may read everything: the sharing side becomes somebody else then.
  const nobody = join(place.base, 'nobody.mjs')
  writeFileSync(nobody, isRoot ? 'process.setgid(65534); process.setuid(65534)\n' : '')
  mkdirSync(join(place.base, 'state-of-nobody'))
  for (const path of [place.base, place.source, join(place.base, 'state-of-nobody')]) chmodSync(path, 0o777)
  const env = {
    XDG_STATE_HOME: join(place.base, 'state-of-nobody'),
    XDG_RUNTIME_DIR: join(place.base, 'state-of-nobody'),
  }
  const { link, program } = await startShare(place, ['--listen', '127.0.0.1:0'], {
    nodeArgs: ['--import', nobody],
    env,
  })
  const { code } = await runClone(place, link)
  chmodSync(join(place.source, 'closed'), 0o700)
  expect(code).toBe(0)
  expect(
    program.stderr
      .split('\n')
      .sort()
      .filter((line) => line.startsWith('not shared')),
  ).toEqual([
    'not shared: closed may not be used: permission denied',
    'not shared: unreadable may not be used: permission denied',
  ])
  expect(readFileSync(join(place.target, 'open'), 'utf8')).toBe('open')
})

it('a folder has the same link each time, also when it has been moved, and a copy of it another one', async () => {
  const place = makePlace()
  writeFileSync(join(place.source, 'file'), 'x')
  const share = async (source: string): Promise<string> => {
    const { program, link, port } = await startShare({ ...place, source }, [])
    await program.kill('SIGTERM')
    expect(program.stdout).toBe(`${link}\n`)
    expect(port).toBeGreaterThan(0)
    return link
  }
  const first = await share(place.source)
  expect(await share(place.source)).toBe(first)
  const moved = join(place.base, 'moved')
  renameSync(place.source, moved)
  expect(await share(moved)).toBe(first)
  execFileSync('cp', ['-a', moved, join(place.base, 'copied')])
  const copied = await share(join(place.base, 'copied'))
  expect(copied.split('#')[1]).not.toBe(first.split('#')[1])
  expect(await share(join(place.base, 'copied'))).toBe(copied)
  const outcome = await runPlait(place, ['id', moved])
  expect(first).toContain(outcome.stdout.trim())
})
