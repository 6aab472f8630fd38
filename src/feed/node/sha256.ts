import { createHash, createHmac, hash } from 'node:crypto'
import { copyHash, hashBytes, leafPrefix, nodePrefix, type TreeHash } from '../hash.ts'

/**
 * The hash of feeds by `node:crypto`. One shot, with the result as a string of 32 characters: for the 65 bytes of a node that costs a third
 * of a result in a Buffer, and a quarter of an object that is fed (0.35, 0.9 and 1.2 µs, measured on Node.js 24).
 */
export const sha256: TreeHash = {
  leaf(block, out, at) {
    if (block.length > shortBlockBytes) {
      put(createHash('sha256').update(leafMark).update(block).digest('binary'), out, at)
      return
    }
    // Blocks of a feed are often of one length: a view costs a quarter of its hash.
    if (leafView.length !== block.length + 1) leafView = leafInput.subarray(0, block.length + 1)
    leafView.set(block, 1)
    put(hash('sha256', leafView, 'binary'), out, at)
  },
  node(left, leftAt, right, rightAt, out, at) {
    copyHash(left, leftAt, nodeInput, 1)
    copyHash(right, rightAt, nodeInput, 1 + hashBytes)
    put(hash('sha256', nodeInput, 'binary'), out, at)
  },
  digest: (bytes) => Uint8Array.from(hash('sha256', bytes, 'buffer')),
  keyed: (key, message) => Uint8Array.from(createHmac('sha256', key).update(message).digest()),
}

/** Up to here it costs less to copy the block behind its prefix than to feed both one after the other. */
const shortBlockBytes = 8 * 1024

const leafMark = Uint8Array.of(leafPrefix)
const leafInput = new Uint8Array(1 + shortBlockBytes)
leafInput[0] = leafPrefix
let leafView: Uint8Array = leafInput
const nodeInput = new Uint8Array(1 + 2 * hashBytes)
nodeInput[0] = nodePrefix

function put(characters: string, out: Uint8Array, at: number): void {
  for (let index = 0; index < hashBytes; index += 1) out[at + index] = characters.charCodeAt(index)
}
