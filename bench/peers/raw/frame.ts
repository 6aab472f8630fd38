import { writeNumber } from '../number.ts'

/** Header of a raw frame: u32 length of the body, u32 stream, u8 kind; little-endian. */
export const headerBytes: number = 9

/** The only kind there is; the field stands for what any protocol needs. */
export const dataKind: number = 0

export function writeHeader(into: Uint8Array, at: number, length: number, stream: number): void {
  writeNumber(into, at, length)
  writeNumber(into, at + 4, stream)
  into[at + 8] = dataKind
}
