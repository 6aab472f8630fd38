import { expect, it } from 'vitest'
import { emptyBytes } from '../../src/base/bytes.ts'
import { claimStatement } from '../../src/causal/members/roster-operation.ts'
import { keyFromWriter } from '../../src/crdt/dot.ts'
import { simulatedIdentity } from '../../src/identity/simulated.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { playGroup } from './play.ts'
import { Library, Site } from './site.ts'

it('delivers 1 to 100 in order, whatever the order in which two hundred sites read the feeds', () => {
  const library = new Library()
  const [ann, ben, cat] = ['ann', 'ben', 'cat'].map((name) => new Site(library, name)) as [Site, Site, Site]
  ann.found()
  const invitation = simulatedIdentity(Uint8Array.of(1))
  ann.invite(invitation, 'write')
  for (const joiner of [ben, cat]) {
    ann.admit(joiner, invitation)
    joiner.readAll()
  }
  const writers = [ann, ben, cat]
  const dots: string[] = []
  for (let index = 0; index < 100; index += 1) {
    const site = writers[(index * 7) % 3] as Site
    site.readAll()
    const { writer, number } = site.publish(Uint8Array.of(index))
    dots.push(`${number}@${writer}`)
  }
  for (let seed = 0; seed < 200; seed += 1) {
    const random = new SeededRandom(`reorder ${seed}`)
    const reader = new Site(library, `reader ${seed}`)
    while (reader.delivered.length < 100) reader.read(writers[random.integer(0, 2)]!.writer, random.integer(1, 9))
    expect(reader.delivered).toEqual(dots)
    expect(reader.faults).toEqual([])
  }
})

it('delivers to everybody the same, each after what it follows, in random histories', () => {
  const marks = new Map<string, number>()
  for (let seed = 1; seed <= 200; seed += 1) {
    for (const mark of playGroup(seed)) marks.set(mark, (marks.get(mark) ?? 0) + 1)
  }
  for (const mark of ['operations', 'restarts', 'continued', 'overturned'])
    expect(marks.get(mark), mark).toBeGreaterThan(20)
})

it('passes over what no member has written, and what a reader has', () => {
  const library = new Library()
  const [ann, ben] = ['ann', 'ben'].map((name) => new Site(library, name)) as [Site, Site]
  ann.found()
  const invitation = simulatedIdentity(Uint8Array.of(1))
  ann.invite(invitation, 'read')
  ann.admit(ben, invitation)
  ben.readAll()
  ben.publish(emptyBytes)
  ann.readAll()
  expect(ann.delivered).toEqual([])
  expect(ann.passedOver).toEqual([`2@${ben.writer}`])
})

it('takes nobody for a member who has not signed for it', () => {
  const library = new Library()
  const [ann, ben, cat] = ['ann', 'ben', 'cat'].map((name) => new Site(library, name)) as [Site, Site, Site]
  ann.found()
  const invitation = simulatedIdentity(Uint8Array.of(1))
  ann.invite(invitation, 'admin')
  // Cat has made a feed in the name of Ben.
  const claim = { ...cat.claim, node: ben.identity.publicKey }
  const statement = claimStatement(keyFromWriter(ann.writer), claim)
  ann.say({
    ...{ kind: 'admit', ...claim, proof: cat.identity.sign(statement) },
    ...{ invitation: invitation.publicKey, invitationProof: invitation.sign(statement), at: 0, addresses: [] },
  })
  expect(ann.machine.roster.members.has(ben.identity.id)).toBe(false)
  expect(ann.machine.roster.memberOf(cat.writer)).toBe(undefined)
})

it('waits for no member that is parked', () => {
  const library = new Library()
  const [ann, ben, cat] = ['ann', 'ben', 'cat'].map((name) => new Site(library, name)) as [Site, Site, Site]
  ann.found()
  const invitation = simulatedIdentity(Uint8Array.of(1))
  ann.invite(invitation, 'write')
  for (const joiner of [ben, cat]) {
    ann.admit(joiner, invitation)
    joiner.readAll()
  }
  ann.readAll()
  const { number } = ann.publish(emptyBytes)
  ben.readAll()
  ben.acknowledge()
  ann.readAll()
  expect(ann.machine.stable()[0]).toBeLessThan(number)
  ann.say({ kind: 'park', node: cat.identity.publicKey, ends: ann.machine.endsOf(cat.identity.id) })
  expect(ann.machine.stable()[0]).toBeGreaterThanOrEqual(number)
})
