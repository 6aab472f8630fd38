import type { PlaitError } from '../base/error.ts'
import { encodeError } from '../wire/error.ts'
import { frameTypes, headerBytes, writeHeader } from '../wire/frame.ts'

/** A frame of the session itself, by itself. */
export function frameOf(type: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headerBytes + body.length)
  writeHeader(frame, 0, type, body.length, 0)
  frame.set(body, headerBytes)
  return frame
}

/** The last words on a link: why it ends. */
export function goAway(error: PlaitError): Uint8Array {
  return frameOf(frameTypes.GOAWAY, encodeError(error))
}
