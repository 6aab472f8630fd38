import type { SimulatedDisk } from '../../src/runtime/simulated/disk.ts'
import type { CountingProbe } from '../../src/runtime/simulated/probe.ts'
import { readCheckpoint } from '../../src/store/checkpoint.ts'
import { RecordLog } from '../../src/store/record-log.ts'
import type { LogRecord } from '../../src/store/record.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { bytesEqual } from '../../src/base/bytes.ts'
import { segmentBytes, type Note } from './crash-scenarios.ts'
import { idOf, payloadOf } from './log-place.ts'

/** What must hold for a store that is opened after a power cut, from what it had said before. */
class Expectation {
  acknowledged = 0
  /** Of checkpoints: the last one that was done, and the last one that was begun. */
  checkpointMin = 0
  checkpointMax = 0
  dead: ReadonlySet<number> = new Set()
  readonly positions = new Map<number, number>()

  constructor(notes: readonly Note[]) {
    for (const note of notes) {
      if (note.kind === 'acknowledged') this.acknowledged = Math.max(this.acknowledged, note.id)
      else if (note.kind === 'dead') this.dead = note.ids
      else if (note.kind === 'appended') this.positions.set(note.id, note.position)
      else if (note.kind === 'checkpoint') {
        this.checkpointMax = note.id
        if (note.isDone) this.checkpointMin = note.id
      }
    }
  }
}

/** Opens the store on such a disk, twice, and returns what is wrong with it. */
export async function violations(
  disk: SimulatedDisk,
  notes: readonly Note[],
  probe: CountingProbe,
): Promise<readonly string[]> {
  const expected = new Expectation(notes)
  try {
    const first = await inspect(disk, expected, probe, 0)
    if (first.wrong.length > 0) return first.wrong
    // What it has shown once it has promised.
    expected.acknowledged = first.last
    const second = await inspect(disk.afterCrash(), expected, probe, first.added)
    return second.wrong.map((wrong) => `opened again: ${wrong}`)
  } catch (error) {
    return [`it cannot be opened: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`]
  }
}

interface Inspection {
  readonly wrong: readonly string[]
  readonly last: number
  /** The record that was appended, so that the next opening must show it. */
  readonly added: number
}

async function inspect(
  disk: SimulatedDisk,
  expected: Expectation,
  probe: CountingProbe,
  added: number,
): Promise<Inspection> {
  const wrong: string[] = []
  const seen: { id: number; position: number }[] = []
  const checkpoint = await readCheckpoint(disk, 'store')
  const from = checkpoint === undefined ? 0 : idOf(checkpoint)
  const isKnown = from === expected.checkpointMin || from === expected.checkpointMax
  if (!isKnown) wrong.push(`the checkpoint is that of ${from}`)
  const visit = (record: LogRecord, position: number): void => {
    const id = idOf(record)
    if (id === addedId) return void seen.push({ id, position })
    const isRight = record.kind === 1 + (id % 3) && record.feed === id % 4 && bytesEqual(record.payload, payloadOf(id))
    if (!isRight || expected.positions.get(id) !== position) wrong.push(`what is visited at ${position} is not ${id}`)
    seen.push({ id, position })
  }
  const options = { disk, directory: 'store', random: new SeededRandom('log'), probe, visit, limits: { segmentBytes } }
  const log = await RecordLog.open({ ...options, checkpoint })
  if (log.report.rot.length > 0) wrong.push(`it reports rot: ${JSON.stringify(log.report.rot)}`)
  const ids = seen.map(({ id }) => id).filter((id) => id !== addedId)
  const last = ids.at(-1) ?? from
  for (const [index, id] of ids.entries()) if (id <= (ids[index - 1] ?? from)) wrong.push(`${id} is out of order`)
  const found = new Set(ids)
  for (let id = from + 1; id <= Math.max(last, expected.acknowledged); id += 1) {
    if (!found.has(id) && !expected.dead.has(id)) wrong.push(`${id} is missing of ${expected.acknowledged}`)
  }
  if (added > 0 && seen.at(-1)?.id !== addedId) wrong.push('what was appended after the crash is missing')
  for (const record of await log.readMany(seen.map(({ position }) => position))) {
    const { id } = seen.shift() ?? { id: -1 }
    if (idOf(record) !== id) wrong.push(`what is read for ${id} is ${idOf(record)}`)
  }
  log.append(1, 0, new Uint8Array([255, 255, 255, 255, 1, 2, 3]))
  await log.commit()
  return { wrong, last: Math.max(last, expected.acknowledged), added: 1 }
}

const addedId = 0xffff_ffff
