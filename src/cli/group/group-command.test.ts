import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { run } from '../program.ts'
import { Terminal } from '../terminal.ts'
import { parseDuration } from './duration.ts'
import { resolveGroup } from './group-target.ts'

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'plait-group-command-'))
  vi.stubEnv('XDG_STATE_HOME', base)
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

async function plait(...args: readonly string[]): Promise<{ code: number; printed: string; noted: string }> {
  terminal.printed = ''
  terminal.noted = ''
  const code = await run(args, terminal)
  // A command line that cannot be understood makes nothing.
  expect(existsSync(join(base, 'plait'))).toBe(false)
  return { code, printed: terminal.printed, noted: terminal.noted }
}

it.each([
  {
    name: 'group',
    commands: ['create', 'invite', 'join', 'serve', 'members', 'remove', 'park', 'role', 'leave', 'status'],
  },
  { name: 'kv', commands: ['set', 'get', 'delete', 'list', 'watch'] },
])('explains $name', async ({ name, commands }) => {
  const { code, printed } = await plait(name, '--help')
  expect([code, printed]).toEqual([0, expect.stringMatching(new RegExp(`Usage: plait ${name} .*Example:`, 's'))])
  for (const command of commands) {
    expect(printed).toMatch(new RegExp(`^  ${command} `, 'm'))
    const help = (await plait(name, command, '--help')).printed
    expect(help).toMatch(new RegExp(`Usage: plait ${name} ${command} .*Example:`, 's'))
    expect(help).toContain('~/.local/state/plait/groups')
  }
})

it.each([
  [['group']],
  [['group', 'nonsense']],
  [['group', 'invite', '--role', 'owner']],
  [['group', 'invite', '--uses', '0']],
  [['group', 'invite', '--for', '12']],
  [['group', 'join']],
  [['group', 'remove']],
  [['group', 'role', 'k3x9', 'owner']],
  [['kv']],
  [['kv', 'set']],
  [['kv', 'get', 'one', 'two']],
  [['kv', 'get', 'one', '--wait', '0']],
])('does not understand %j', async (args) => {
  const { code, printed, noted } = await plait(...args)
  expect([code, printed]).toEqual([2, ''])
  expect(noted).not.toBe('')
})

it('says what is wrong with a link before it makes anything', async () => {
  const { code, noted } = await plait('group', 'join', 'plait://nonsense')
  expect([code, noted]).toEqual([1, expect.stringMatching(/^plait: .*link/)])
})

it('reads durations', () => {
  expect(['90s', '30m', '12h', '7d', '2w'].map(parseDuration)).toEqual([
    90_000, 1_800_000, 43_200_000, 604_800_000, 1_209_600_000,
  ])
  for (const text of ['', '0s', '5', '-5m', '1.5h', '5y', '3651d']) expect(() => parseDuration(text), text).toThrow()
})

it('finds the group that is meant', () => {
  const list = [
    { id: 'abcdefgh', name: 'team' },
    { id: 'abcdxyzw', name: 'abcdef' },
    { id: 'mnopqrst', name: 'same' },
    { id: 'uvwxyzab', name: 'same' },
  ]
  const found = (text?: string, among = list): string => resolveGroup(text, among).id
  expect([found('team'), found('mnop'), found(undefined, list.slice(0, 1))]).toEqual([
    'abcdefgh',
    'mnopqrst',
    'abcdefgh',
  ])
  // A name comes before the beginning of an id.
  expect(found('abcdef')).toBe('abcdxyzw')
  expect(() => found('same')).toThrow(/several groups/)
  expect(() => found('abcd')).toThrow(/several groups/)
  expect(() => found('mno')).toThrow(/no group of the store is called mno/)
  expect(() => found(undefined)).toThrow(/the store has 4 groups; say which/)
  expect(() => found(undefined, [])).toThrow(/no groups yet/)
})
