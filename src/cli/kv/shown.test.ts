import { expect, it } from 'vitest'
import { parseRequest } from '../control/control-protocol.ts'
import type { KeyChange } from '../control/group-requests.ts'
import { Shown } from './shown.ts'

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString('base64')
const set = (key: string, value: string | Uint8Array): KeyChange => ({ key, value: base64(value), from: 'n' })
const changes = (isWhole: boolean, ...list: readonly KeyChange[]) => ({ id: 'g', revision: 1, changes: list, isWhole })

function shown(prefix = '', json = false): { shown: Shown; lines: string[] } {
  const lines: string[] = []
  return { shown: new Shown(prefix, json, (line) => lines.push(line)), lines }
}

it('prints each change once, whoever tells of it', () => {
  const { shown: watcher, lines } = shown()
  watcher.take(changes(true, set('a', '1'), set('b', '2')))
  watcher.take(changes(false, set('a', '1'), set('a', '3')))
  watcher.take(changes(false, { key: 'b' }, { key: 'never there' }))
  // Another program has the store now, and tells all that there is.
  watcher.take(changes(true, set('c', '4')))
  expect(lines).toEqual(['a\t1', 'b\t2', 'a\t3', 'b', 'a', 'c\t4'])
})

it('keeps to a prefix, and makes every value one line', () => {
  const { shown: watcher, lines } = shown('a')
  watcher.take(changes(true, set('a\n', 'one\ntwo\x1b[2J'), set('b', '2'), set('ab', Uint8Array.of(255, 254))))
  expect(lines).toEqual(['a\\n\tone\\ntwo\\e[2J', 'ab\t(2 bytes)'])
})

it('says in JSON what a value is, text or not', () => {
  const { shown: watcher, lines } = shown('', true)
  watcher.take(changes(true, set('a', 'x'), set('b', Uint8Array.of(255))))
  watcher.take(changes(false, { key: 'a', from: 'm' }))
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { event: 'set', key: 'a', text: 'x', from: 'n' },
    { event: 'set', key: 'b', base64: '/w==', from: 'n' },
    { event: 'deleted', key: 'a', from: 'm' },
  ])
})

it('asks a running program in a way that this one reads back', () => {
  for (const request of [
    { command: 'groups' },
    { command: 'group-create', name: 'team' },
    { command: 'group-invite', group: 'team', role: 'read', uses: 1, validMs: 5 },
    { command: 'group-join', link: 'plait://' },
    { command: 'kv-set', group: 'team', key: 'k', value: 'dg==' },
    { command: 'kv-delete', key: 'k' },
    { command: 'kv-get', key: 'k' },
    { command: 'kv-list' },
    { command: 'kv-changes', group: 'team', after: 7 },
  ])
    expect(parseRequest(JSON.stringify(request))).toEqual(request)
  expect(() => parseRequest('{"command":"group-invite","role":"owner"}')).toThrow(/a role is one of/)
})
