import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseGroupLink } from '../../src/causal/group-link.ts'
import { jsonLines, makePlace, type Place } from '../drive/place.ts'
import { plaitProgram, runProgram, startProgram, type Outcome, type Program } from '../support/process.ts'
import { until } from './members.ts'

// `plait group` and `plait kv` as their users run them: real processes, each machine with a store of its own.

const groupLink = /^plait:\/\/\S+\/g\/\S+#(read|write|admin)\.\S+$/

interface Machine extends Place {
  readonly store: string
}

function makeMachine(): Machine {
  const place = makePlace()
  return { ...place, store: join(place.base, 'state/plait/groups') }
}

function run({ env }: Machine, ...args: readonly string[]): Promise<Outcome> {
  return runProgram(plaitProgram, args, { env, timeoutMs: 60_000 })
}

function start({ env }: Machine, ...args: readonly string[]): Program {
  return startProgram(plaitProgram, args, { env })
}

/** What it writes, when it ends well. */
async function outputOf(machine: Machine, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(machine, ...args)
  expect([code, /^plait: /m.test(stderr)], stderr).toEqual([0, false])
  return stdout
}

async function expectFailure(machine: Machine, args: readonly string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await run(machine, ...args)
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(message)])
}

/** A machine that has made a group and serves it, and the link by which others join. */
async function founder(...args: readonly string[]): Promise<{ machine: Machine; serving: Program; link: string }> {
  const machine = makeMachine()
  const serving = start(machine, 'group', 'create', '--serve', '--listen', '127.0.0.1:0', ...args)
  const [link] = await serving.line(groupLink)
  return { machine, serving, link }
}

const here = ['--listen', '127.0.0.1:0'] as const

it('R three shells share a map with three commands, and one that is killed comes back whole', async () => {
  const { machine: first, serving, link } = await founder('--name', 'team')
  const [second, third] = [makeMachine(), makeMachine()]
  const joined = start(second, 'group', 'join', link, '--serve', ...here)
  await joined.line(/^[a-z2-7]{52}$/)
  expect(joined.stderr).toMatch(/^joined team \(2 members, 0 keys\); this store may read and write$/m)
  const other = start(third, 'group', 'join', link, '--serve', ...here)
  await other.line(/^[a-z2-7]{52}$/)
  const all = [first, second, third]
  for (const [index, machine] of all.entries()) await outputOf(machine, 'kv', 'set', `key ${index}`, `value ${index}`)
  const whole = 'key 0\tvalue 0\nkey 1\tvalue 1\nkey 2\tvalue 2\n'
  for (const machine of all) await until(async () => (await outputOf(machine, 'kv', 'list')) === whole)
  // One is killed, and the others go on.
  await other.kill('SIGKILL')
  await outputOf(first, 'kv', 'set', 'key 0', 'another')
  await outputOf(second, 'kv', 'delete', 'key 1')
  // What it had is there at once, without any of the others.
  expect(await outputOf(third, 'kv', 'list')).toBe(whole)
  const again = start(third, 'kv', 'watch', ...here)
  const later = 'key 0\tanother\nkey 2\tvalue 2\n'
  for (const machine of all) await until(async () => (await outputOf(machine, 'kv', 'list')) === later)
  expect(again.stdout).toContain('key 0\tanother\n')
  expect(again.stdout).toContain('key 1\n')
  expect(await outputOf(third, 'kv', 'get', 'key 2')).toBe('value 2\n')
  // The founder is gone for good: the others do not need it.
  await serving.kill('SIGKILL')
  await outputOf(third, 'kv', 'set', 'key 3', 'value 3')
  await until(async () => (await outputOf(second, 'kv', 'list')) === `${later}key 3\tvalue 3\n`)
  for (const program of [joined, again]) expect((await program.kill('SIGINT')).code).toBe(0)
})

it('writes where nobody serves, hands it over when it can, and says when it cannot', async () => {
  const { machine: first, serving } = await founder()
  const link = (await outputOf(first, 'group', 'invite', '--uses', '1')).trim()
  const second = makeMachine()
  const id = (await outputOf(second, 'group', 'join', link, ...here)).trim()
  expect(parseGroupLink(link).groupId).toBe(id)
  const [set] = jsonLines(await outputOf(second, 'kv', 'set', 'a', '1', '--json'))
  expect(set).toMatchObject({ event: 'set', id, key: 'a', isHandedOver: true })
  expect(await outputOf(first, 'kv', 'get', 'a')).toBe('1\n')
  await expectFailure(makeMachine(), ['group', 'join', link, ...here], /^plait: .*used as often as it may be/)
  expect((await serving.kill('SIGINT')).code).toBe(0)
  const alone = await run(second, 'kv', 'set', 'a', '2')
  expect([alone.code, alone.stderr]).toEqual([0, expect.stringMatching(/^it is kept here; none of the 1 other member/)])
  expect(await outputOf(first, 'kv', 'get', 'a')).toBe('1\n')
  const served = start(second, 'group', 'serve', ...here)
  await served.line(/^group {2}[a-z2-7]{52} {2}2 members, 1 key$/)
  // Where it was before: the other one looks for it there.
  const listen = `127.0.0.1:${parseGroupLink(link).addresses[0]?.port}`
  const watching = start(first, 'kv', 'watch', '--json', '--listen', listen)
  await watching.line(/^\{"event":"set","key":"a","text":"2"/)
  await outputOf(second, 'kv', 'delete', 'a')
  await watching.line(/^\{"event":"deleted","key":"a","from":"[a-z2-7]{52}"\}$/)
  await expectFailure(second, ['kv', 'get', 'a'], /^plait: the key a has no value/)
})

it('says who belongs to a group and how it is, from whoever has the store', async () => {
  const { machine: first, link } = await founder('--name', 'team')
  const reader = makeMachine()
  const readLink = (await outputOf(first, 'group', 'invite', 'team', '--role', 'read', '--for', '1h')).trim()
  expect(readLink).toMatch(/#read\./)
  await outputOf(reader, 'group', 'join', readLink, ...here)
  await expectFailure(reader, ['kv', 'set', 'a', '1'], /^plait: this store may read the group only/)
  await expectFailure(reader, ['group', 'invite', ...here], /^plait: .*admin/)
  const members = jsonLines(await outputOf(first, 'group', 'members', '--json'))
  expect(members.map(({ role, isSelf }) => [role, isSelf])).toEqual(
    expect.arrayContaining([
      ['admin', true],
      ['read', false],
    ]),
  )
  expect(await outputOf(first, 'group', 'members', 'team')).toMatch(/^NODE .*\n([a-z2-7]{52} .*\n){2}$/)
  const [status] = jsonLines(await outputOf(reader, 'group', 'status', '--json'))
  expect(status).toMatchObject({ event: 'group', name: 'team', role: 'read', isServed: false, keys: 0 })
  expect(await outputOf(first, 'group', 'status', parseGroupLink(link).groupId.slice(0, 8))).toMatch(
    /^ {2}members {3}2,/m,
  )
  expect(await outputOf(first, 'status')).toMatch(/^group .*\n(.*\n)* {2}groups {4}1 group, 0 keys$/m)
  expect(await outputOf(first, 'group', 'create', '--name', 'second')).toMatch(/^[a-z2-7]{52}\n$/)
  await expectFailure(first, ['kv', 'list'], /^plait: the store has 2 groups; say which/)
  await expectFailure(first, ['kv', 'list', '--group', 'third'], /^plait: no group of the store is called third/)
  expect(await outputOf(first, 'kv', 'list', '--group', 'second')).toBe('')
})

it('says what is wrong with a link, and what to do', async () => {
  const { machine: first, serving, link } = await founder()
  const machine = makeMachine()
  await expectFailure(machine, ['group', 'join', `${link}x`], /^plait: .*link/)
  await expectFailure(first, ['group', 'join', link], /^plait: this link leads back to this very store/)
  await serving.kill('SIGKILL')
  const nobody = /^plait: nobody answers at 127\.0\.0\.1:\d+; see that `plait group serve` is running there/
  await expectFailure(machine, ['group', 'join', link, '--wait', '1', ...here], nobody)
  await expectFailure(machine, ['kv', 'get', 'a'], /^plait: /)
  // A store that has begun to join, and was not let in, is not stuck.
  const serve = start(first, 'group', 'serve', '--listen', `127.0.0.1:${parseGroupLink(link).addresses[0]?.port}`)
  await serve.line(/1 member, 0 keys$/)
  await outputOf(machine, 'group', 'join', link, ...here)
  expect(await outputOf(machine, 'kv', 'set', 'a', '1')).toBe('')
})

it('takes members out, and says what they may do, from whoever has the store', async () => {
  const { machine: first, link } = await founder('--name', 'team')
  const [second, third] = [makeMachine(), makeMachine()]
  for (const machine of [second, third])
    await start(machine, 'group', 'join', link, '--serve', ...here).line(/^[a-z2-7]{52}$/)
  const others = async (): Promise<readonly string[]> =>
    jsonLines(await outputOf(first, 'group', 'members', '--json')).flatMap(({ node, isSelf }) =>
      isSelf === true ? [] : [String(node)],
    )
  const nodeOf = async (machine: Machine): Promise<string> => {
    const [status] = jsonLines(await outputOf(machine, 'group', 'status', '--json'))
    return String(status?.['nodeId'])
  }
  const [one, other] = [await nodeOf(second), await nodeOf(third)]
  expect(new Set(await others())).toEqual(new Set([one, other]))
  await expectFailure(
    first,
    ['group', 'remove', 'zzzz'],
    /^plait: no member's node id begins with zzzz; `plait group members`/,
  )
  await expectFailure(second, ['group', 'remove', (await nodeOf(first)).slice(0, 6)], /^plait: .*admin/)
  // The owner of the store is asked for it.
  await outputOf(first, 'group', 'role', one.slice(0, 8), 'read', 'team')
  await until(async () => {
    const { code, stderr } = await run(second, 'kv', 'set', 'a', '1')
    return code === 1 && /may read the group only/.test(stderr)
  })
  await outputOf(first, 'group', 'remove', one.slice(0, 8))
  expect(await others()).toEqual([other])
  await outputOf(third, 'group', 'leave')
  await until(async () => (await others()).length === 0)
})
