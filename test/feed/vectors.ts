import { concatBytes } from '../../src/base/bytes.ts'
import { feedTag } from '../../src/feed/feed-tag.ts'
import { consistencyPositions } from '../../src/feed/fork.ts'
import { signHead } from '../../src/feed/head.ts'
import { encodeFeedMessage, packings } from '../../src/feed/messages.ts'
import { sha256 } from '../../src/feed/node/sha256.ts'
import { runs } from '../../src/feed/runs.ts'
import { sealedName } from '../../src/feed/sealed-name.ts'
import { Tree } from '../../src/feed/tree.ts'
import { identityFromPrivateKey, privateKeyFromSeed } from '../../src/identity/identity.ts'
import { encode } from '../../src/wire/schema.ts'

const writer = identityFromPrivateKey(privateKeyFromSeed(new Uint8Array(32).fill(1)))
const binding = new Uint8Array(32).fill(9)
const blocks = [Uint8Array.of(0x61, 0x62, 0x63), new Uint8Array(0), Uint8Array.of(1, 2)].concat(
  [7, 8, 9, 10].map((byte) => new Uint8Array(4).fill(byte)),
)
const bytes = 21
const nothing = new Uint8Array(0)

function treeOf(length: number): Tree {
  const tree = new Tree(sha256)
  tree.append(blocks.slice(0, length))
  return tree
}

/** What the page has as vectors of feeds, as the code makes it. */
/** One block of Zstandard, as it is, with the bytes 616263: RFC 8878. */
const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, 0x61, 0x62, 0x63)

export function feedVectors(): ReadonlyMap<string, Uint8Array> {
  const seven = treeOf(7)
  const root = seven.root()
  const head = signHead(writer, { fork: 0, length: 7, bytes, root })
  const { signature } = head
  const upgrade = seven.prove({ known: 3, length: 7, ranges: [] })
  return new Map([
    ['root of no blocks', treeOf(0).root()],
    ['root of the first block', treeOf(1).root()],
    ['root of the first three', treeOf(3).root()],
    ['root of all', root],
    ['signature of the head of all, fork 0', signature],
    ['name of the feed when it is sealed', sealedName(sha256, { length: 7, bytes, root })],
    ['tag of the chair', feedTag(sha256, writer.publicKey, binding, 'chair')],
    ['tag of the guest', feedTag(sha256, writer.publicKey, binding, 'guest')],
    ['proof of block 2 to who knows nothing', seven.prove({ known: 0, length: 7, ranges: [2, 3] })],
    ['proof of blocks 1 to 5 to who knows nothing', seven.prove({ known: 0, length: 7, ranges: [1, 6] })],
    ['the same with groups of level 1', seven.prove({ known: 0, length: 7, ranges: [1, 6], groupLevel: 1 })],
    ['proof of block 0 and block 5 to who knows 3', seven.prove({ known: 3, length: 7, ranges: [0, 1, 5, 6] })],
    ['proof of the length to who knows 3', upgrade],
    ['nodes of FORK for the lengths 3 and 7', seven.nodesAt(consistencyPositions(3, 7))],
    ['runs: blocks 3, 4 and 300', encode(runs({ max: 9 }), [3, 5, 300, 301])],
    [
      'OPEN of feed 5 by the chair',
      encodeFeedMessage('open', { feed: 5, tag: feedTag(sha256, writer.publicKey, binding, 'chair') }),
    ],
    [
      'HEAD of all to who knows 3',
      encodeFeedMessage('head', { feed: 5, fork: 0, length: 7, bytes, root, signature, known: 3, nodes: upgrade }),
    ],
    [
      'INFO of fork 0, all is there, serves',
      encodeFeedMessage('info', { feed: 5, fork: 0, length: 7, first: 2, contiguous: 7, flags: 1 }),
    ],
    ['HAVE of blocks 0 to 6', encodeFeedMessage('have', { feed: 5, runs: [0, 7] })],
    ['WANT of all that may ever be', encodeFeedMessage('want', { feed: 5, start: 0, end: 2 ** 48 })],
    [
      'REQUEST 1 of blocks 1 and 2, from length 7, 64 KiB',
      encodeFeedMessage('request', { feed: 5, request: 1, fork: 0, known: 7, runs: [1, 3], bytes: 65_536 }),
    ],
    [
      'PROOF that answers it, without groups',
      encodeFeedMessage('proof', {
        feed: 5,
        request: 1,
        fork: 0,
        length: 7,
        known: 7,
        runs: [1, 3],
        nodes: seven.prove({ known: 7, length: 7, ranges: [1, 3] }),
        last: true,
      }),
    ],
    ['DATA with both blocks', encodeFeedMessage('data', { feed: 5, request: 1, blocks: blocks.slice(1, 3) })],
    [
      'FETCH 2 of the chunks 616263, of 3 bytes, and 0102, of any length, 64 KiB',
      encodeFeedMessage('fetch', {
        feed: 5,
        request: 2,
        bytes: 65_536,
        packings: packings.zstd,
        chunks: {
          hashes: concatBytes([blocks[0] ?? nothing, blocks[2] ?? nothing].map((chunk) => sha256.digest(chunk))),
          lengths: [3, undefined],
        },
      }),
    ],
    [
      'CHUNKS that answers it, the second one absent',
      encodeFeedMessage('chunks', { feed: 5, request: 2, last: true, chunks: [blocks[0], undefined] }),
    ],
    [
      'PACKED that answers it, the second one absent',
      encodeFeedMessage('packed', { feed: 5, request: 2, last: true, lengths: [3, undefined], packed: frame }),
    ],
    [
      'what is signed of the head',
      concatBytes([
        new TextEncoder().encode('plait feed head'),
        Uint8Array.of(1),
        writer.publicKey,
        u64(0),
        u64(7),
        u64(bytes),
        root,
      ]),
    ],
  ])
}

function u64(value: number): Uint8Array {
  return Uint8Array.of(value, 0, 0, 0, 0, 0, 0, 0)
}
