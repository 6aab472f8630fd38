import { expect, test } from 'vitest'
import { isPackageInstalled, missingOf, programPath } from './missing.ts'
import { isRival, peerNames } from './names.ts'

const yes = (): boolean => true
const no = (): boolean => false

test('a rival whose package or program is not there is named with what is missing', () => {
  expect(missingOf('nats', yes, no)).toBe('not installed: nats-server')
  expect(missingOf('nats', no, yes)).toBe('not installed: @nats-io/transport-node')
  expect(missingOf('nats', yes, yes)).toBeUndefined()
})

test('raw sockets and plait need nothing, and each rival something', () => {
  for (const peer of peerNames) expect(missingOf(peer, no, no) !== undefined, peer).toBe(isRival(peer))
})

test('programs are looked for on the path, and packages where this folder would find them', () => {
  expect(programPath('sh')).toMatch(/\/sh$/)
  expect(programPath('no-such-program-anywhere')).toBeUndefined()
  expect(isPackageInstalled('typescript')).toBe(true)
  expect(isPackageInstalled('no-such-package-anywhere')).toBe(false)
})
