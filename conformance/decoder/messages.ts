import { ByteReader, decodeUtf8, Malformed } from './byte-reader.ts'
import { decodeFacts } from './facts.ts'
import type { Facts } from './facts.ts'

// The bodies of frames, each as its table in PROTOCOL.md has it.

export interface Hello {
  readonly versionMin: number
  readonly versionMax: number
  readonly epoch: Uint8Array
  readonly agent: string
  readonly application: { readonly name: string; readonly version: string } | undefined
  readonly frameBytes: number
  readonly windowBytes: number
  readonly fragmentBytes: number
  readonly circuits: number
  readonly features: readonly string[]
  readonly addresses: readonly string[]
  readonly network: Uint8Array | undefined
}

export interface Ready {
  readonly role: number
  readonly binding: Uint8Array
}

export interface Resume extends Ready {
  readonly sessionId: Uint8Array
  readonly epoch: Uint8Array
  readonly remoteEpoch: Uint8Array
  readonly receivedFrames: number
}

export interface Open {
  readonly grant: number
  readonly kind: number
  readonly service: string
  readonly peerId: string
  readonly version: number
  readonly sourceService: string
  readonly sourcePeerId: string
}

export interface Accept {
  readonly grant: number
  readonly service: string
  readonly peerId: string
}

export interface Close {
  readonly code: number
  readonly message: string
}

export interface WireError {
  readonly code: number
  readonly message: string
  readonly facts: Facts
}

export interface Fragment {
  readonly op: number
  readonly subject: string
  readonly part: number
  readonly args: ReadonlyMap<string, string>
  readonly error: WireError | undefined
  readonly payload: Uint8Array
}

const magic = [0x50, 0x4c, 0x41, 0x49, 0x54, 0x0d, 0x0a, 0x00]

export function decodeHello(body: Uint8Array): Hello {
  const reader = new ByteReader(body)
  const first = reader.take(magic.length)
  if (!magic.every((byte, index) => byte === first[index])) throw new Malformed('a HELLO with other first bytes')
  const entries = entriesOf(reader)
  const version = wanted(entries, 1)
  const limits = wanted(entries, 5)
  const application = entries.get(4)
  const hello = {
    versionMin: version.u16(),
    versionMax: version.u16(),
    epoch: wanted(entries, 2).take(16),
    agent: wanted(entries, 3).text(64),
    application: application && { name: application.text(64), version: application.text(64) },
    frameBytes: limits.u32(),
    windowBytes: limits.u32(),
    fragmentBytes: limits.u32(),
    circuits: limits.u32(),
    features: textsOf(wanted(entries, 6), 32, 64),
    addresses: textsOf(wanted(entries, 7), 16, 255),
    network: entries.get(8)?.take(32),
  }
  for (const [type, entry] of entries) if (type <= 8) entry.end()
  if (hello.frameBytes < 16_384 || hello.windowBytes < 16_384) throw new Malformed('a HELLO with too small limits')
  return hello
}

export function decodeReady(body: Uint8Array): Ready {
  return whole(body, readProof)
}

export function decodeResume(body: Uint8Array): Resume {
  return whole(body, (reader) => ({
    ...readProof(reader),
    sessionId: reader.take(16),
    epoch: reader.take(16),
    remoteEpoch: reader.take(16),
    receivedFrames: reader.u64(),
  }))
}

export function decodeOpen(body: Uint8Array): Open {
  return whole(body, (reader) => ({
    grant: reader.u64(),
    kind: reader.u8(),
    service: reader.text(255),
    peerId: reader.text(255),
    version: reader.leb128(),
    sourceService: reader.text(255),
    sourcePeerId: reader.text(255),
  }))
}

export function decodeAccept(body: Uint8Array): Accept {
  return whole(body, (reader) => ({ grant: reader.u64(), service: reader.text(255), peerId: reader.text(255) }))
}

export function decodeClose(body: Uint8Array): Close {
  return whole(body, (reader) => ({ code: reader.leb128(), message: reader.text(1024) }))
}

export function decodeError(body: Uint8Array): WireError {
  return whole(body, readError)
}

/** ACK and CREDIT. */
export function decodeCount(body: Uint8Array): number {
  return whole(body, (reader) => reader.u64())
}

/** FIRST: the length of the whole fragment, and its first bytes. */
export function decodeFirst(body: Uint8Array): { readonly length: number; readonly bytes: Uint8Array } {
  return whole(body, (reader) => ({ length: reader.leb128(), bytes: reader.rest() }))
}

export function decodeFragment(bytes: Uint8Array): Fragment {
  return whole(bytes, (reader) => {
    const flags = reader.u8()
    if (flags > 31) throw new Malformed(`a fragment with the flags ${flags}`)
    const has = (flag: number): boolean => (flags & flag) !== 0
    return {
      op: has(1) ? said(reader.zigzag(), 0) : 0,
      subject: has(2) ? said(reader.text(1024), '') : '',
      part: has(4) ? said(reader.i64(), 0) : 0,
      args: has(8) ? readArgs(reader) : new Map(),
      error: has(16) ? readError(reader) : undefined,
      payload: reader.rest(),
    }
  })
}

function readProof(reader: ByteReader): Ready {
  return { role: reader.u8(), binding: reader.take(32) }
}

function readError(reader: ByteReader): WireError {
  return { code: reader.u16(), message: reader.text(1024), facts: decodeFacts(reader.bytes(1024)) }
}

function readArgs(reader: ByteReader): ReadonlyMap<string, string> {
  const args = new Map<string, string>()
  let together = 0
  for (let rest = said(reader.count(64), 0); rest > 0; rest -= 1) {
    const name = reader.bytes(128)
    const value = reader.bytes(4096)
    together += name.length + value.length
    if (together > 16_384) throw new Malformed('args that are too long together')
    if (args.has(decodeUtf8(name))) throw new Malformed('an arg twice')
    args.set(decodeUtf8(name), decodeUtf8(value))
  }
  return args
}

/** A list: its entries by type, each to be read to its end. */
function entriesOf(reader: ByteReader): ReadonlyMap<number, ByteReader> {
  const entries = new Map<number, ByteReader>()
  let before = -1
  while (reader.remaining > 0) {
    const type = reader.leb128()
    if (type <= before) throw new Malformed(`entry ${type} behind entry ${before}`)
    before = type
    entries.set(type, new ByteReader(reader.take(reader.leb128())))
  }
  return entries
}

function wanted(entries: ReadonlyMap<number, ByteReader>, type: number): ByteReader {
  const entry = entries.get(type)
  if (entry === undefined) throw new Malformed(`no entry ${type}`)
  return entry
}

function textsOf(reader: ByteReader, countMax: number, bytesMax: number): readonly string[] {
  return Array.from({ length: reader.count(countMax) }, () => reader.text(bytesMax))
}

/** A field that is there does not have its default value. */
function said<Value>(value: Value, standard: Value): Value {
  if (value === standard) throw new Malformed('a field with its default value')
  return value
}

function whole<Value>(bytes: Uint8Array, read: (reader: ByteReader) => Value): Value {
  const reader = new ByteReader(bytes)
  const value = read(reader)
  reader.end()
  return value
}
