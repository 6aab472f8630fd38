import { bytesEqual } from '../base/bytes.ts'
import { readUint32, readUint64, writeUint32, writeUint64 } from '../base/little-endian.ts'
import type { Disk } from '../runtime/disk.ts'
import { crc32c } from './crc32c.ts'
import { logIdBytes } from './record.ts'
import { readSmallFile, replaceSmallFile } from './small-file.ts'

/** Up to where derived files are complete and synced, so that opening need not read what stands before. */
export interface Checkpoint {
  readonly logId: Uint8Array
  /** A position that was `safe` when the checkpoint was made. */
  readonly position: number
  /** What the owner has to remember along with it. */
  readonly payload: Uint8Array
}

/** The last checkpoint; undefined when there is none or it is damaged: then all is read from the beginning. */
export async function readCheckpoint(disk: Disk, directory: string): Promise<Checkpoint | undefined> {
  const bytes = await readSmallFile(disk, directory === '' ? fileName : `${directory}/${fileName}`)
  if (bytes === undefined || bytes.length < headerBytes) return undefined
  const isWhole =
    bytesEqual(bytes.subarray(0, 8), magic) &&
    readUint32(bytes, 8) === version &&
    readUint32(bytes, 12) === bytes.length - headerBytes &&
    readUint32(bytes, headerBytes - 4) === crcOf(bytes, bytes.subarray(headerBytes))
  if (!isWhole) return undefined
  return {
    logId: bytes.slice(16, 16 + logIdBytes),
    position: readUint64(bytes, 32),
    payload: bytes.subarray(headerBytes),
  }
}

/** Puts a checkpoint in the place of the last one. Derived files must be synced before. */
export async function writeCheckpoint(disk: Disk, directory: string, checkpoint: Checkpoint): Promise<void> {
  const { logId, position, payload } = checkpoint
  const header = new Uint8Array(headerBytes)
  header.set(magic)
  writeUint32(header, 8, version)
  writeUint32(header, 12, payload.length)
  header.set(logId, 16)
  writeUint64(header, 32, position)
  writeUint32(header, headerBytes - 4, crcOf(header, payload))
  await replaceSmallFile(disk, directory, fileName, [header, payload])
}

function crcOf(header: Uint8Array, payload: Uint8Array): number {
  return crc32c(payload, 0, payload.length, crc32c(header, 0, headerBytes - 4))
}

const fileName = 'checkpoint'
const headerBytes = 44
const version = 1
const magic: Uint8Array = new TextEncoder().encode('PLAITCHK')
