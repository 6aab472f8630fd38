import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { formatDriveLink, parseDriveLink, type DriveLink } from '../../src/drive/drive-link.ts'
import { createIdentity } from '../../src/identity/identity.ts'
import { plaitProgram } from '../support/process.ts'
import { jsonLines, makePlace, runClone, runPlait, startShare, type Place } from './place.ts'

// Each mistake that a user can make is one line that says what happened and what to do, exit code 1, and nothing written.

/** In words and as JSON. */
async function expectRefused(
  place: Place,
  link: string,
  message: RegExp,
  code: string,
  flags: readonly string[] = [],
): Promise<void> {
  const { code: exitCode, stdout, stderr } = await runClone(place, link, flags)
  expect([exitCode, stdout]).toEqual([1, ''])
  // Apart from a word now and then while it tries to reach the other side.
  const lines = stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('connecting to '))
  expect(lines).toEqual([expect.stringMatching(message)])
  const json = await runClone(place, link, [...flags, '--json'])
  expect(jsonLines(json.stdout).at(-1)).toMatchObject({ event: 'error', code })
  expect(json.stderr).toBe('')
}

function changed(link: string, changes: Partial<DriveLink>): string {
  return formatDriveLink({ ...parseDriveLink(link), ...changes })
}

it('D9: a wrong link says what is wrong', async () => {
  const place = makePlace()
  const { link } = await startShare(place)
  await expectRefused(
    place,
    'https://example.org/',
    /^plait: this is not a share link: one begins with plait:\/\//,
    'INVALID_LINK',
  )
  await expectRefused(place, link.slice(0, -9), /^plait: this share link is cut off/, 'INVALID_LINK')
  await expectRefused(place, link.slice(0, link.indexOf('#')), /^plait: this share link is cut off/, 'INVALID_LINK')
  const mistyped = link.replace(/#read\.(.)/, (_, first: string) => `#read.${first === 'a' ? 'b' : 'a'}`)
  await expectRefused(place, mistyped, /^plait: this share link is mistyped/, 'INVALID_LINK')
  expect(existsSync(place.target)).toBe(false)
})

it('a wrong secret is refused, in words', async () => {
  const place = makePlace()
  const { link } = await startShare(place)
  const wrong = changed(link, { secret: new Uint8Array(32).fill(3) })
  await expectRefused(
    place,
    wrong,
    /^plait: the sharing side does not accept the secret of this link; ask for/,
    'FORBIDDEN',
  )
  expect(existsSync(place.target)).toBe(false)
})

it('a drive that is not shared, another key, and nobody at all are told apart', async () => {
  const place = makePlace()
  const { link, program, port } = await startShare(place)
  await expectRefused(
    place,
    changed(link, { driveId: createIdentity().id }),
    /does not share that folder now/,
    'UNKNOWN_PEER',
  )
  const stranger = changed(link, { nodeId: createIdentity().id })
  await expectRefused(
    place,
    stranger,
    new RegExp(`another node than the one of this link answers at 127.0.0.1:${port}`),
    'WRONG_KEY',
  )
  await program.kill('SIGINT')
  await expectRefused(
    place,
    link,
    new RegExp(`nobody answers at 127.0.0.1:${port}; see that .plait share. is running`),
    'UNREACHABLE',
    ['--wait', '1'],
  )
  expect(existsSync(place.target)).toBe(false)
})

it('a folder that has something else in it stays as it is', async () => {
  const place = makePlace()
  const { link } = await startShare(place)
  mkdirSync(place.target)
  writeFileSync(join(place.target, 'mine'), '')
  await expectRefused(place, link, /target is not empty; name a new or an empty folder/, 'NOT_EMPTY')
  expect(readdirSync(place.target)).toEqual(['mine'])
  await expectRefused({ ...place, target: place.source }, link, /source is the shared folder itself/, 'NOT_EMPTY')
  await expectRefused({ ...place, target: join(place.target, 'mine') }, link, /mine is not a folder/, 'FILE_FAILED')
  const other = makePlace()
  await runClone({ ...other, target: place.target }, (await startShare(other)).link)
  expect(readdirSync(place.target)).toEqual(['mine'])
})

it('a folder of another drive stays as it is', async () => {
  const [place, other] = [makePlace(), makePlace()]
  expect((await runClone(place, (await startShare(place)).link)).code).toBe(0)
  const link = (await startShare(other)).link
  await expectRefused(place, link, /target belongs to another drive/, 'NOT_EMPTY')
})

it('a folder that is not there, or is shared already, cannot be shared', async () => {
  const place = makePlace()
  const missing = await runPlait(place, ['share', join(place.base, 'none')])
  expect([missing.code, missing.stderr]).toEqual([
    1,
    `plait: ${join(place.base, 'none')} does not exist; name a folder that does\n`,
  ])
  writeFileSync(join(place.base, 'file'), '')
  const file = await runPlait(place, ['share', join(place.base, 'file')])
  expect([file.code, file.stderr]).toEqual([
    1,
    `plait: ${join(place.base, 'file')} is not a folder; name a folder to share\n`,
  ])
  const { program } = await startShare(place)
  const twice = await runPlait(place, ['share', place.source])
  expect(twice.code).toBe(1)
  expect(twice.stderr).toContain(`this folder is being shared already, by process ${program.pid}`)
  const taken = await runPlait(place, ['share', place.base, '--listen', 'nonsense'])
  expect([taken.code, taken.stderr.split('\n')]).toEqual([1, [expect.stringMatching(/^plait: .*nonsense/), '']])
})

it('a folder that may not be written to is not shared, in words that say what to do', async () => {
  const place = makePlace()
  const isRoot = process.getuid?.() === 0
  // Root may write everywhere but where nobody may.
  if (isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', place.source], { stdio: 'pipe' })
  else chmodSync(place.source, 0o555)
  onTestFinished(() => {
    if (isRoot) execFileSync('umount', ['-l', place.source])
    else chmodSync(place.source, 0o755)
  })
  const { code, stderr } = await runPlait(place, ['share', place.source])
  const message =
    /^plait: \S+\/source (is on a file system that is read-only|may not be written to), and plait has to keep \.plait\/ in it; make it writable for this user, or share a copy of it\n$/
  expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  expect(existsSync(join(place.source, '.plait'))).toBe(false)
})

it('the command line explains itself', async () => {
  const place = makePlace()
  const help = await runPlait(place, ['--help'])
  expect([help.code, help.stderr]).toEqual([0, ''])
  expect(help.stdout).toMatch(/Usage: plait .*Example:/s)
  for (const command of ['share', 'clone', 'id']) {
    expect((await runPlait(place, [command, '--help'])).stdout).toMatch(
      new RegExp(`Usage: plait ${command} .*Example:`, 's'),
    )
  }
  expect((await runPlait(place, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  for (const args of [['shre', '.'], ['clone', 'x'], ['share', '.', '--nonsense'], []]) {
    const { code, stderr } = await runPlait(place, args)
    expect([args, code]).toEqual([args, 2])
    expect(stderr).toMatch(/plait --help|Usage: plait/)
  }
  expect((await runPlait(place, ['id'])).stderr).toMatch(/nothing is shared or cloned here yet/)
})

it('an older Node is told so in words', ({ skip }) => {
  const older = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
    return existsSync(path) && Number(/^v(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]) < 24
  })
  if (older === undefined) skip('it needs a Node older than 24 in /usr/bin or /usr/local/bin')
  const run = (): string =>
    execFileSync(older as string, [plaitProgram, '--version'], { encoding: 'utf8', stdio: 'pipe' })
  expect(run).toThrow(/plait needs Node\.js 24 or newer, this is v\d+\.\d+\.\d+; install it from/)
})
