import { ByteReader, Malformed } from './byte-reader.ts'

/** PROTOCOL.md, "Frames". */
const namesByType = {
  0x01: 'HELLO',
  0x02: 'READY',
  0x03: 'RESUME',
  0x04: 'ACK',
  0x05: 'PING',
  0x06: 'PONG',
  0x07: 'CREDIT',
  0x08: 'GOAWAY',
  0x10: 'OPEN',
  0x11: 'ACCEPT',
  0x12: 'REFUSE',
  0x13: 'RESET',
  0x14: 'END',
  0x15: 'CLOSE',
  0x16: 'DATA',
  0x17: 'FIRST',
  0x18: 'MORE',
} as const

export type FrameName = (typeof namesByType)[keyof typeof namesByType]

export interface Frame {
  readonly name: FrameName
  /** Counted, acknowledged, and sent again over a new link. */
  readonly isNumbered: boolean
  readonly channel: number
  readonly body: Uint8Array
  /** Header and body. */
  readonly length: number
}

const headerBytes = 8

/** The frames in what one side has said on a link, and how many bytes of an unfinished one are left. */
export function splitFrames(bytes: Uint8Array): { readonly frames: readonly Frame[]; readonly restBytes: number } {
  const frames: Frame[] = []
  let at = 0
  while (bytes.length - at >= headerBytes) {
    const reader = new ByteReader(bytes.subarray(at, at + headerBytes))
    const first = reader.u32()
    const channel = reader.u32()
    const end = at + headerBytes + (first >>> 8)
    if (end > bytes.length) break
    const type = first & 0xff
    const name = (namesByType as Readonly<Record<number, FrameName>>)[type]
    if (name === undefined) throw new Malformed(`a frame of the unknown type ${type}`)
    const body = bytes.subarray(at + headerBytes, end)
    frames.push({ name, isNumbered: type >= 0x10, channel, body, length: end - at })
    at = end
  }
  return { frames, restBytes: bytes.length - at }
}
