import { SimulatedDisk } from '../../src/runtime/simulated/disk.ts'
import { CountingProbe } from '../../src/runtime/simulated/probe.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { storeMarks } from '../../src/runtime/marks.ts'
import type { Disk } from '../../src/runtime/disk.ts'
import { readCheckpoint } from '../../src/store/checkpoint.ts'
import { RecordLog, type RecordLogOptions } from '../../src/store/record-log.ts'
import type { LogRecord } from '../../src/store/record.ts'

/** A record as a test has seen it: its payload is a copy. */
export interface Seen extends LogRecord {
  readonly position: number
}

/** A disk with a log on it, and what opening it has visited. */
export class LogPlace {
  readonly disk: Disk
  readonly probe: CountingProbe = new CountingProbe(storeMarks)
  seen: Seen[] = []
  readonly #options: Partial<RecordLogOptions>

  constructor(disk: Disk = new SimulatedDisk(), options: Partial<RecordLogOptions> = {}) {
    this.disk = disk
    this.#options = options
  }

  /** Opens the log; from its checkpoint when it has one and `fromCheckpoint` says so. */
  async open({ fromCheckpoint = false }: { fromCheckpoint?: boolean } = {}): Promise<RecordLog> {
    this.seen = []
    return RecordLog.open({
      disk: this.disk,
      directory: 'store',
      random: new SeededRandom('log'),
      probe: this.probe,
      checkpoint: fromCheckpoint ? await readCheckpoint(this.disk, 'store') : undefined,
      visit: ({ kind, feed, payload }, position) => {
        this.seen.push({ kind, feed, payload: payload.slice(), position })
      },
      ...this.#options,
    })
  }
}

/** A payload that says which one it is, of a length that depends on that. */
export function payloadOf(id: number, bytes: number = 4 + ((id * 37) % 90)): Uint8Array {
  const payload = new SeededRandom(id).bytes(Math.max(4, bytes))
  new DataView(payload.buffer).setUint32(0, id)
  return payload
}

export function idOf({ payload }: { readonly payload: Uint8Array }): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0)
}

export function idsOf(seen: readonly Seen[]): number[] {
  return seen.map((record) => idOf(record))
}

/** Appends records, one commit for all, and returns their positions. */
export async function appendAll(log: RecordLog, ids: readonly number[]): Promise<number[]> {
  const positions = ids.map((id) => log.append(1, id % 5, payloadOf(id)))
  await log.commit()
  return positions
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_value, index) => from + index)
}
