/** Bytes of a frame's header: u32 LE of type (low 8 bits) and body length (high 24), u32 LE of the channel's number. */
export const headerBytes = 8

/** What the 24 bits can say; the limits say less. */
export const bodyBytesMax = 0xff_ffff

/** Kinds of frames, as they stand in the header. Those below OPEN are unnumbered: absolute values that may be said again. */
export const frameTypes = {
  HELLO: 0x01,
  READY: 0x02,
  RESUME: 0x03,
  ACK: 0x04,
  PING: 0x05,
  PONG: 0x06,
  CREDIT: 0x07,
  GOAWAY: 0x08,
  OPEN: 0x10,
  ACCEPT: 0x11,
  REFUSE: 0x12,
  RESET: 0x13,
  END: 0x14,
  CLOSE: 0x15,
  DATA: 0x16,
  FIRST: 0x17,
  MORE: 0x18,
} as const

export type FrameType = (typeof frameTypes)[keyof typeof frameTypes]

/** Whether frames of this type are counted, acknowledged, and sent again over a new link. */
export function isNumbered(type: number): boolean {
  return type >= frameTypes.OPEN
}

/** Writes the eight bytes of a header. `bodyLength` up to `bodyBytesMax`, `channel` a u32, 0 for the session itself. */
export function writeHeader(out: Uint8Array, offset: number, type: number, bodyLength: number, channel: number): void {
  out[offset] = type
  out[offset + 1] = bodyLength
  out[offset + 2] = bodyLength >>> 8
  out[offset + 3] = bodyLength >>> 16
  out[offset + 4] = channel
  out[offset + 5] = channel >>> 8
  out[offset + 6] = channel >>> 16
  out[offset + 7] = channel >>> 24
}

/** The length of the body from the header at `offset`. */
export function readBodyLength(bytes: Uint8Array, offset: number): number {
  return (bytes[offset + 1] as number) | ((bytes[offset + 2] as number) << 8) | ((bytes[offset + 3] as number) << 16)
}

/** The channel's number from the header at `offset`. */
export function readChannel(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset + 4] as number) |
      ((bytes[offset + 5] as number) << 8) |
      ((bytes[offset + 6] as number) << 16) |
      ((bytes[offset + 7] as number) << 24)) >>>
    0
  )
}
