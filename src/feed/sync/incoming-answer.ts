import { assert } from '../../base/assert.ts'
import { PlaitError } from '../../base/error.ts'
import { hashBytes, sameHash, type TreeHash } from '../hash.ts'
import { blockCount, hashGroup, verifyProof, type HashedGroup, type ProvenNodes, type Trust } from '../proof.ts'
import { groupsOf, type ProofShape } from '../proof-shape.ts'
import type { StoredGroup } from './feed-store.ts'

/**
 * The blocks that follow one proof. Those with groups are verified group by group as they come, the others when all are there; what is
 * handed out is verified.
 */
export class IncomingAnswer {
  readonly shape: ProofShape
  readonly #hash: TreeHash
  readonly #nodes: Uint8Array
  readonly #trust: Trust
  /** The largest number of bytes that the blocks may have, the last of them aside. */
  readonly #bytesMax: number
  /** Level and index of each, in turn. */
  #groups: readonly number[] = []
  #group = 0
  #proven: ProvenNodes | undefined
  #waiting: Uint8Array[] = []
  #expected: number
  #bytes = 0

  /** Throws `PROTOCOL` or `CORRUPT` for a proof that is none. */
  constructor(hash: TreeHash, shape: ProofShape, nodes: Uint8Array, trust: Trust, bytesMax: number) {
    this.shape = shape
    this.#hash = hash
    this.#nodes = nodes
    this.#trust = trust
    this.#bytesMax = bytesMax
    this.#expected = blockCount(shape)
    if (shape.groupLevel !== undefined || this.#expected === 0) {
      this.#proven = verifyProof(hash, shape, nodes, trust)
      this.#groups = groupsOf(shape)
    }
  }

  /** All its blocks are there, and verified. */
  get isComplete(): boolean {
    return this.#expected === 0 && this.#proven !== undefined
  }

  /** What the proof has proven, once it is verified. */
  get proven(): ProvenNodes | undefined {
    return this.#proven
  }

  /** Takes the next blocks. Returns the groups that are complete with them. Throws `PROTOCOL`, `LIMIT` or `CORRUPT`. */
  take(blocks: readonly Uint8Array[]): readonly StoredGroup[] {
    if (blocks.length > this.#expected) throw lie('PROTOCOL', 'more blocks than it has announced')
    const done: StoredGroup[] = []
    for (const block of blocks) {
      if (this.#bytes > this.#bytesMax) throw lie('LIMIT', 'more bytes than it was asked for')
      this.#bytes += block.length
      this.#expected -= 1
      this.#waiting.push(block)
      if (this.#proven !== undefined) this.#closeGroup(done)
    }
    if (this.#proven !== undefined || this.#expected > 0) return done
    const given = this.#waiting
    this.#proven = verifyProof(this.#hash, this.shape, this.#nodes, this.#trust, given)
    const groups = groupsOf(this.shape)
    let at = 0
    this.#proven.hashed.forEach((hashed, index) => {
      const size = 2 ** (groups[index * 2] as number)
      done.push(groupOf(groups[index * 2 + 1] as number, given.slice(at, at + size), hashed))
      at += size
    })
    return done
  }

  #closeGroup(done: StoredGroup[]): void {
    const level = this.#groups[this.#group] as number
    if (this.#waiting.length < 2 ** level) return
    assert(this.#proven !== undefined, 'groups are verified by a proof')
    const index = this.#groups[this.#group + 1] as number
    const hashed = hashGroup(this.#hash, index, this.#waiting)
    if (!sameHash(hashed.nodes, hashed.nodes.length - hashBytes, this.#proven.groups, (this.#group / 2) * hashBytes))
      throw lie('CORRUPT', 'blocks that are not those of its proof')
    done.push(groupOf(index, this.#waiting, hashed))
    this.#waiting = []
    this.#group += 2
  }
}

function groupOf(index: number, blocks: readonly Uint8Array[], { position, nodes }: HashedGroup): StoredGroup {
  return { start: index * blocks.length, blocks, position, nodes }
}

function lie(code: 'PROTOCOL' | 'LIMIT' | 'CORRUPT', what: string): PlaitError {
  return new PlaitError(code, `the other side sent ${what}`, { traced: false })
}
