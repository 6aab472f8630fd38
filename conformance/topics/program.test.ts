import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { plaitProgram, runProgram, startProgram, type Program } from '../support/process.ts'

// Shells that talk with each other, by the built program.

const here = ['--listen', '127.0.0.1:0'] as const

function environment(): Readonly<Record<string, string>> {
  const base = mkdtempSync(join(tmpdir(), 'plait-topics-'))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  mkdirSync(join(base, 'run'), { mode: 0o700 })
  return { XDG_STATE_HOME: join(base, 'state'), XDG_RUNTIME_DIR: join(base, 'run') }
}

async function linkOf(program: Program): Promise<string> {
  const [link] = await program.line(/^plait:\/\/\S+\/t#\S+$/, { stream: 'stderr' })
  return link
}

it('lines that are published come out at all who are there, also by the link of one that joined later', async () => {
  const env = environment()
  const first = startProgram(plaitProgram, ['sub', 'news', '--author', ...here], { env })
  const second = startProgram(plaitProgram, ['sub', 'news', await linkOf(first), ...here], { env })
  await first.line(/ is there; 2 members now$/, { stream: 'stderr' })
  const third = startProgram(plaitProgram, ['sub', 'other', await linkOf(second), ...here], { env })
  await first.line(/ is there; 3 members now$/, { stream: 'stderr' })
  const publisher = startProgram(plaitProgram, ['pub', 'news', await linkOf(third), ...here], { env, input: true })
  publisher.write('hello\n\u001b[31mred\nno newline')
  publisher.endInput()
  const published = await publisher.outcome()
  expect([published.code, published.stdout]).toEqual([0, ''])
  expect(published.stderr).toMatch(/^3 messages published, each to [1-3] members?\n$/)
  await second.line(/^no newline$/)
  expect(second.stdout).toBe('hello\n\u001b[31mred\nno newline\n')
  await first.line(/no newline$/)
  expect(first.stdout).toMatch(/^([a-z2-7]{8}) {2}hello\n\1 {2}\S+red\n\1 {2}no newline\n$/)
  const members = await runProgram(plaitProgram, ['members', await linkOf(first), ...here, '--json'], { env })
  const lines = members.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.at(-1)).toEqual({ event: 'summary', members: 3, shape: 'star' })
  expect(lines.slice(0, -1).map(({ status }) => status)).toEqual(['alive', 'alive', 'alive'])
  const status = await runProgram(plaitProgram, ['status'], { env })
  expect(status.stdout.match(/^topics main .*$/gm)).toHaveLength(3)
  expect(third.stdout).toBe('')
  for (const program of [first, second, third]) {
    program.signal('SIGINT')
    expect((await program.outcome({ timeoutMs: 10_000 })).code).toBe(0)
  }
})

it('one that is killed is passed over, and found to be gone', async () => {
  const env = environment()
  const first = startProgram(plaitProgram, ['sub', 'news', ...here], { env })
  const link = await linkOf(first)
  const others = [1, 2].map(() => startProgram(plaitProgram, ['sub', 'news', link, ...here], { env }))
  const both = startProgram(plaitProgram, ['pub', 'news', link, '--both', ...here], { env, input: true })
  await first.line(/ is there; 4 members now$/, { stream: 'stderr' })
  both.write('one\n')
  for (const other of others) await other.line(/^one$/)
  await (others[0] as Program).kill('SIGKILL')
  both.write('two\n')
  await (others[1] as Program).line(/^two$/)
  await first.line(/ is gone; 3 members now$/, { stream: 'stderr', timeoutMs: 60_000 })
  both.endInput()
  await both.line(/^2 messages published/, { stream: 'stderr', timeoutMs: 60_000 })
  both.signal('SIGINT')
  expect((await both.outcome({ timeoutMs: 10_000 })).stderr).toContain(' is gone; 3 members now')
})

it('says what is wrong with a link, and that nobody is there', async () => {
  const env = environment()
  const first = startProgram(plaitProgram, ['sub', 'news', ...here], { env })
  const link = await linkOf(first)
  const failed = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await runProgram(plaitProgram, args, { env })
    expect(code).toBe(1)
    return stderr.trimEnd()
  }
  expect(await failed('sub', 'news', link.slice(0, -3))).toBe(
    'plait: this link to a network is cut off at the end; copy all of it, in quotes',
  )
  expect(await failed('members', 'plait://nothing')).toContain('cut off')
  first.signal('SIGINT')
  await first.outcome({ timeoutMs: 10_000 })
  expect(await failed('members', link, ...here, '--wait', '1')).toBe(
    'plait: nobody was found by this link in 1 s; see that `plait sub` or `plait pub` is still running there, or use the link of another member',
  )
})
