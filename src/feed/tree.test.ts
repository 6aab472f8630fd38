import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHex, encodeHex } from '../base/bytes.ts'
import { treeHash } from '../../test/feed/rfc-tree.ts'
import { Frontier } from './frontier.ts'
import { hashBytes } from './hash.ts'
import { sha256 } from './node/sha256.ts'
import { levelFrom, nodeCount, nodePosition, peakCount } from './numbering.ts'
import { Tree } from './tree.ts'

/** The leaves and roots that implementations of RFC 6962 are tested with. */
const published = {
  leaves: ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'],
  roots: [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ],
}

describe('the root', () => {
  const leaves = published.leaves.map((hex) => decodeHex(hex) as Uint8Array)

  it('is the published one for 0 to 8 leaves', () => {
    const roots = published.roots.map((_, length) => {
      const tree = new Tree(sha256)
      tree.append(leaves.slice(0, length))
      return encodeHex(tree.root())
    })
    expect(roots).toEqual(published.roots)
  })

  it('is that of RFC 9162 for all lengths up to 300, however the blocks come in batches', () => {
    const blocks = Array.from({ length: 300 }, (_, index) => Uint8Array.of(index & 255, index >> 8))
    const single = new Tree(sha256)
    for (let length = 0; length <= blocks.length; length += 1) {
      if (length % 7 === 0 || length > 290) expect(single.root()).toEqual(treeHash(blocks.slice(0, length)))
      const batched = new Tree(sha256)
      batched.append(blocks.slice(0, length >> 1))
      batched.append(blocks.slice(length >> 1, length))
      expect(batched.root()).toEqual(single.root())
      expect(batched.peaks()).toEqual(single.peaks())
      if (length < blocks.length) single.append([blocks[length] as Uint8Array])
    }
  })

  it('follows from the peaks alone', () => {
    const tree = new Tree(sha256)
    for (let length = 0; length < 70; length += 1) {
      expect(new Frontier(sha256, length, tree.peaks()).root()).toEqual(tree.root())
      tree.append([Uint8Array.of(length)])
    }
  })
})

describe('a leaf', () => {
  it.each([0, 1, 64, 8_191, 8_192, 8_193, 1_048_576])('of %i bytes is hashed behind its prefix', (length) => {
    const block = new Uint8Array(length).fill(7)
    const node = new Uint8Array(hashBytes + 5)
    sha256.leaf(block, node, 5)
    expect(node.subarray(5)).toEqual(
      Uint8Array.from(createHash('sha256').update(Uint8Array.of(0)).update(block).digest()),
    )
  })

  it('is never the hash of two nodes, whatever the block', () => {
    const nodes = new Uint8Array(64).map((_, index) => index)
    const leaf = new Uint8Array(32)
    const pair = new Uint8Array(32)
    sha256.leaf(nodes, leaf, 0)
    sha256.node(nodes, 0, nodes, 32, pair, 0)
    expect(leaf).not.toEqual(pair)
  })
})

describe('positions', () => {
  it('are given out in the order in which nodes are completed, none twice and none left out', () => {
    let next = 0
    for (let block = 0; block < 1_000; block += 1) {
      expect(nodeCount(block)).toBe(next)
      for (let level = 0; (block + 1) % 2 ** level === 0; level += 1) {
        expect(nodePosition(level, (block + 1) / 2 ** level - 1)).toBe(next)
        next += 1
      }
    }
  })

  it('put what is below a node right before it', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(10_000), (level, index) => {
        const size = 2 ** level
        expect(nodePosition(level, index) - nodePosition(0, index * size)).toBe(2 * size - 2)
      }),
    )
  })

  it('go up to 2^48 blocks without a rounding', () => {
    expect(nodeCount(2 ** 48)).toBe(2 ** 49 - 1)
    expect(nodePosition(48, 0)).toBe(2 ** 49 - 2)
    expect(nodePosition(0, 2 ** 48 - 1)).toBe(2 ** 49 - 2 - 48)
    expect(peakCount(2 ** 48 - 1)).toBe(48)
    expect(levelFrom(0, 2 ** 48)).toBe(48)
    expect(levelFrom(2 ** 47, 2 ** 48 - 1)).toBe(46)
    expect(levelFrom(2 ** 47, 2 ** 48, 5)).toBe(5)
  })
})
