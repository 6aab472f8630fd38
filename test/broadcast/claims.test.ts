import { expect, it } from 'vitest'
import { signMember, type Member } from '../../src/broadcast/membership/member.ts'
import { Membership } from '../../src/broadcast/membership/membership.ts'
import { defaultSettings } from '../../src/broadcast/settings.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { silentProbe } from '../../src/runtime/probe.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { keyedIdentity, keyedVerify } from './keyed.ts'

const network = 'test'
const [self, one, other] = [keyedIdentity('self'), keyedIdentity('one'), keyedIdentity('other')]

function membership(): Membership {
  return new Membership({
    ...{ self: self.id, network, addresses: [], settings: defaultSettings, random: new SeededRandom(1) },
    sign: (statement) => self.sign(statement),
    verify: keyedVerify,
    port: { hasWay: () => true, send: () => undefined, changed: () => undefined },
    probe: silentProbe,
  })
}

function recordOf(identity: Identity, incarnation: number, status: 'alive' | 'left', of: string = network): Member {
  const sign = (statement: Uint8Array): Uint8Array => identity.sign(statement)
  return signMember({ id: identity.id, incarnation, status, addresses: ['127.0.0.1:1'] }, { network: of, sign })
}

function tell(members: Membership, ...records: readonly Member[]): void {
  members.receive(one.id, { name: 'news', value: { members: records } }, 0)
}

it('nobody is a member who has not said so itself, or has said so in another network', () => {
  const members = membership()
  tell(members, { ...recordOf(other, 1, 'alive'), signature: new Uint8Array(64) })
  tell(members, recordOf(other, 1, 'alive', 'elsewhere'))
  tell(members, { ...recordOf(other, 1, 'alive'), addresses: ['192.0.2.1:1'] })
  expect(members.table.ring.ids).toEqual([self.id])
  tell(members, recordOf(other, 1, 'alive'))
  expect(members.table.ring.has(other.id)).toBe(true)
})

it('that a member leaves it has to say itself, and a later incarnation, too', () => {
  const members = membership()
  tell(members, recordOf(other, 1, 'alive'))
  const known = members.table.find(other.id) as Member
  tell(members, { ...known, status: 'left' })
  tell(members, { ...known, incarnation: 2, addresses: [] })
  tell(members, recordOf(other, 3, 'left', 'elsewhere'))
  expect(members.table.find(other.id)).toEqual(known)
  tell(members, recordOf(other, 1, 'left'))
  expect(members.table.ring.has(other.id)).toBe(false)
})

it('who is suspected or buried is so for one incarnation, and comes back with the next', () => {
  const members = membership()
  tell(members, recordOf(other, 1, 'alive'))
  const known = members.table.find(other.id) as Member
  tell(members, { ...known, status: 'suspect' })
  tell(members, known)
  expect(members.table.find(other.id)?.status).toBe('suspect')
  tell(members, recordOf(other, 2, 'alive'))
  expect(members.table.find(other.id)?.status).toBe('alive')
  tell(members, { ...recordOf(other, 2, 'alive'), status: 'dead' })
  expect(members.table.ring.has(other.id)).toBe(false)
  tell(members, recordOf(other, 2, 'alive'))
  expect(members.table.ring.has(other.id)).toBe(false)
  tell(members, recordOf(other, 3, 'alive'))
  expect(members.table.ring.has(other.id)).toBe(true)
})

it('whoever hears that it is suspected itself begins a new incarnation', () => {
  const members = membership()
  const own = members.table.find(self.id) as Member
  tell(members, { ...own, status: 'suspect' })
  expect(members.table.find(self.id)).toMatchObject({ status: 'alive', incarnation: 1 })
  tell(members, { ...own, incarnation: 9, status: 'suspect' })
  expect(members.table.find(self.id)?.incarnation).toBe(1)
  tell(members, recordOf(self, 9, 'alive'))
  expect(members.table.find(self.id)?.incarnation).toBe(10)
})
