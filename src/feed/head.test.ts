import { describe, expect, it } from 'vitest'
import { createIdentity } from '../identity/identity.ts'
import { simulatedIdentity, simulatedVerify } from '../identity/simulated.ts'
import { verify } from '../identity/signature.ts'
import { feedTag } from './feed-tag.ts'
import { consistencyPositions, provesFork } from './fork.ts'
import { checkHead, headsConflict, signHead, type SignedHead } from './head.ts'
import { sha256 } from './node/sha256.ts'
import { checkSeal, sealedName } from './sealed-name.ts'
import { Tree } from './tree.ts'

const corrupt = expect.objectContaining({ code: 'CORRUPT' })
const malformed = expect.objectContaining({ code: 'PROTOCOL' })
const root = new Uint8Array(32).fill(3)

describe.each([
  ['Ed25519', createIdentity(), verify],
  ['keyed hashes', simulatedIdentity(Uint8Array.of(7)), simulatedVerify],
])('a head signed with %s', (_name, writer, check) => {
  const head = signHead(writer, { fork: 2, length: 40, bytes: 900, root })

  it('is its writer’s', () => {
    expect(head.signature).toHaveLength(64)
    expect(() => checkHead(check, head)).not.toThrow()
  })

  it.each<[string, Partial<SignedHead>]>([
    ['fork', { fork: 3 }],
    ['length', { length: 41 }],
    ['bytes', { bytes: 901 }],
    ['root', { root: new Uint8Array(32).fill(4) }],
    ['key', { key: createIdentity().publicKey }],
    ['signature', { signature: head.signature.map((byte, index) => (index === 5 ? byte ^ 1 : byte)) }],
    ['no signature', { signature: new Uint8Array(0) }],
  ])('covers %s', (_field, change) => {
    expect(() => checkHead(check, { ...head, ...change })).toThrow(corrupt)
  })

  it('is no longer than a feed may be, signed or not', () => {
    const absurd = signHead(writer, { fork: 0, length: 2 ** 48 + 1, bytes: 0, root })
    expect(() => checkHead(check, absurd)).toThrow(malformed)
  })

  it('is none that was signed for another purpose', () => {
    expect(() => checkHead(check, { ...head, signature: writer.sign(root) })).toThrow(corrupt)
  })
})

describe('the name of a sealed feed', () => {
  const seal = { length: 3, bytes: 70, root }
  const name = sealedName(sha256, seal)

  it('says blocks, bytes and root', () => {
    expect(() => checkSeal(sha256, name, seal)).not.toThrow()
    for (const change of [{ length: 4 }, { bytes: 71 }, { root: new Uint8Array(32) }])
      expect(() => checkSeal(sha256, name, { ...seal, ...change })).toThrow(corrupt)
    expect(() => checkSeal(sha256, name.slice(1), seal)).toThrow(corrupt)
    expect(() => checkSeal(sha256, name, { ...seal, length: 2 ** 48 + 1 })).toThrow(malformed)
  })
})

describe('a tag', () => {
  const name = new Uint8Array(32).fill(1)
  const binding = new Uint8Array(32).fill(2)
  const tag = feedTag(sha256, name, binding, 'chair')

  it('is the same for who knows the feed and the channel, and another one for each feed, channel and end', () => {
    expect(feedTag(sha256, name.slice(), binding.slice(), 'chair')).toEqual(tag)
    expect(feedTag(sha256, name, binding, 'guest')).not.toEqual(tag)
    expect(feedTag(sha256, name, new Uint8Array(32), 'chair')).not.toEqual(tag)
    expect(feedTag(sha256, new Uint8Array(32), binding, 'chair')).not.toEqual(tag)
  })
})

describe('a fork', () => {
  const writer = simulatedIdentity(Uint8Array.of(1))

  function history(last: number, length: number): { readonly tree: Tree; readonly head: SignedHead } {
    const tree = new Tree(sha256)
    tree.append(Array.from({ length }, (_, index) => Uint8Array.of(index < 5 ? index : index + last)))
    return { tree, head: signHead(writer, { fork: 0, length, bytes: length, root: tree.root() }) }
  }

  function proves(shorter: SignedHead, longer: SignedHead, tree: Tree): boolean {
    return provesFork(sha256, shorter, longer, tree.nodesAt(consistencyPositions(shorter.length, longer.length)))
  }

  it('is proven by two heads that do not belong together, of any lengths', () => {
    for (const [one, other] of [
      [6, 6],
      [6, 7],
      [7, 30],
      [8, 9],
    ] as const) {
      const [mine, copy] = [history(0, one), history(100, other)]
      expect(proves(mine.head, copy.head, copy.tree)).toBe(true)
    }
  })

  it('is not proven by those that do', () => {
    for (let length = 0; length < 30; length += 1) {
      const [shorter, longer] = [history(0, length), history(0, 30)]
      expect(proves(shorter.head, longer.head, longer.tree)).toBe(false)
    }
    const before = [history(0, 5), history(100, 9)] as const
    expect(proves(before[0].head, before[1].head, before[1].tree)).toBe(false)
  })

  it('is not proven by nodes that lead elsewhere, nor by heads of other feeds or forks', () => {
    const [mine, copy] = [history(0, 7), history(100, 9)]
    expect(() => proves(mine.head, copy.head, history(0, 9).tree)).toThrow(corrupt)
    expect(() => proves(mine.head, { ...copy.head, fork: 1 }, copy.tree)).toThrow(malformed)
    expect(() => proves({ ...mine.head, key: root }, copy.head, copy.tree)).toThrow(malformed)
    expect(() => provesFork(sha256, copy.head, mine.head, new Uint8Array(0))).toThrow(malformed)
    expect(() => provesFork(sha256, mine.head, copy.head, new Uint8Array(32))).toThrow(malformed)
  })

  it('shows at once in two heads of one length', () => {
    const [mine, copy] = [history(0, 7), history(100, 7)]
    expect(headsConflict(mine.head, copy.head)).toBe(true)
    expect(headsConflict(mine.head, { ...mine.head, bytes: 1 })).toBe(true)
    expect(headsConflict(mine.head, mine.head)).toBe(false)
    expect(headsConflict(mine.head, { ...copy.head, fork: 1 })).toBe(false)
    expect(headsConflict(mine.head, history(100, 8).head)).toBe(false)
  })
})
