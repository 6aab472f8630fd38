import { gear } from './gear.ts'

/** Bytes that are looked at in one call of the kernel. */
const blockBytes = 64 * 1024
/** The gear table stands at the beginning of the kernel's memory, the block behind it. */
const blockAt = gear.byteLength

/** Where a scan has stopped, and the hash there. */
export interface GearScan {
  /** The offset behind the byte with which the hash, shifted right by `shift`, was 0; undefined when there was none. */
  readonly found: number | undefined
  readonly hash: number
}

/**
 * Takes the bytes from `at` to `end` into a gear hash, `hash = (hash << 1) + gear[byte]` modulo 2^32, up to the first place at which
 * `hash >>> shift` is 0.
 *
 * In WebAssembly: two operations a byte are too few for the engine to be left a choice. The same loop in JavaScript ran at a rate between
 * 0.2 and 1.4 GB/s, for what else had been compiled before; this one does at one rate, and faster.
 */
export function scanGear(bytes: Uint8Array, at: number, end: number, hash: number, shift: number): GearScan {
  const mask = -1 << shift
  let state = hash
  for (let from = at; from < end; from += blockBytes) {
    const length = Math.min(blockBytes, end - from)
    block.set(bytes.subarray(from, from + length))
    const found = kernel.scan(blockAt, blockAt + length, state, mask)
    if (found !== 0) return { found: from + found - blockAt, hash: 0 }
    state = kernel.hash.value
  }
  return { found: undefined, hash: state }
}

/** As much of it as is used here: the types of the language do not have it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** What the hash was when a scan ended without a find. */
  readonly hash: { readonly value: number }
  scan(at: number, end: number, hash: number, mask: number): number
}

const i32 = 0x7f

/** In the binary format of WebAssembly 1.0; all lengths and indices are below 128, so that each is one byte. */
const kernelModule: Uint8Array = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic and version
  ...section(1, [1, 0x60, 4, i32, i32, i32, i32, 1, i32]), // one type: four numbers to one
  ...section(3, [1, 0]), // one function of it
  ...section(5, [1, 0, 2]), // a memory of two pages, 128 KiB
  ...section(6, [1, i32, 1, 0x41, 0, 0x0b]), // a global that can be changed
  ...section(7, [3, ...named('memory'), 2, 0, ...named('hash'), 3, 0, ...named('scan'), 0, 0]), // exports
  ...section(10, [1, ...sized([0, ...scanBody()])]), // the code, without further locals
)

const kernel = new WebAssembly.Instance(new WebAssembly.Module(kernelModule)).exports as Kernel
new Int32Array(kernel.memory.buffer).set(gear)
const block = new Uint8Array(kernel.memory.buffer, blockAt, blockBytes)

function scanBody(): readonly number[] {
  const [at, end, hash, mask] = [0, 1, 2, 3]
  const [read, write] = [0x20, 0x21]
  const [shiftLeft, add, and] = [0x74, 0x6a, 0x71]
  const constant = 0x41
  return [
    ...[0x02, 0x40], // block
    ...[0x03, 0x40], // loop
    ...[read, at, read, end, 0x4f, 0x0d, 1], // leave the block when at >= end
    ...[read, hash, constant, 1, shiftLeft], // hash << 1
    ...[read, at, 0x2d, 0, 0], // the byte at `at`
    ...[constant, 2, shiftLeft, 0x28, 2, 0, add, write, hash], // + the number of the table, to the hash
    ...[read, at, constant, 1, add, write, at], // at + 1
    ...[read, hash, read, mask, and, 0x0d, 0], // go on with the loop while hash & mask
    ...[read, at, 0x0f], // return at
    ...[0x0b, 0x0b], // end of the loop, and of the block
    ...[read, hash, 0x24, 0], // keep the hash
    ...[constant, 0], // nothing was found
    0x0b,
  ]
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...sized(content)]
}

function sized(content: readonly number[]): readonly number[] {
  return [content.length, ...content]
}

function named(name: string): readonly number[] {
  return sized([...new TextEncoder().encode(name)])
}
