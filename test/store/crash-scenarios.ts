import type { Disk } from '../../src/runtime/disk.ts'
import { RecordingDisk } from '../../src/runtime/simulated/recording-disk.ts'
import type { CountingProbe } from '../../src/runtime/simulated/probe.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { writeCheckpoint } from '../../src/store/checkpoint.ts'
import type { RecordLog } from '../../src/store/record-log.ts'
import { idOf, LogPlace, payloadOf } from './log-place.ts'

export type Phase = 'open' | 'append' | 'rotate' | 'compact' | 'checkpoint' | 'close' | 'recover'

export const phases: readonly Phase[] = ['open', 'append', 'rotate', 'compact', 'checkpoint', 'close', 'recover']

/** What a store has said before the power was cut. */
export type Note =
  | { readonly kind: 'phase'; readonly phase: Phase }
  | { readonly kind: 'appended'; readonly id: number; readonly position: number }
  /** A commit up to this record has resolved. */
  | { readonly kind: 'acknowledged'; readonly id: number }
  /** From now on nobody needs these; they may be there or not. */
  | { readonly kind: 'dead'; readonly ids: ReadonlySet<number> }
  /** A checkpoint that says that records up to this one have been seen. */
  | { readonly kind: 'checkpoint'; readonly id: number; readonly isDone: boolean }

export const segmentBytes = 1_500

/** Appends, rotates, compacts, makes checkpoints and opens again, in an order that follows from the seed. */
export async function playScenario(seed: number, steps: number, probe: CountingProbe): Promise<RecordingDisk<Note>> {
  const disk = new RecordingDisk<Note>()
  const play = new Play(disk, seed, probe)
  await play.open()
  for (let step = 0; step < steps; step += 1) await play.step()
  await play.close()
  return disk
}

class Play {
  readonly #disk: RecordingDisk<Note>
  readonly #random: SeededRandom
  readonly #place: LogPlace
  readonly #dead = new Set<number>()
  #log!: RecordLog
  #lastId = 0

  constructor(disk: RecordingDisk<Note>, seed: number, probe: CountingProbe) {
    this.#disk = disk
    this.#random = new SeededRandom(`scenario ${seed}`)
    this.#place = new LogPlace(noticingSegments(disk), { limits: { segmentBytes }, probe })
  }

  async open(): Promise<void> {
    this.#phase('open')
    this.#log = await this.#place.open()
  }

  async close(): Promise<void> {
    this.#phase('close')
    await this.#log.close()
  }

  async step(): Promise<void> {
    const dice = this.#random.real()
    if (dice < 0.7) await this.#append()
    else if (dice < 0.8) await this.#checkpoint()
    else if (dice < 0.88) await this.#compact()
    else {
      await this.close()
      await this.open()
    }
  }

  /** One to four commits; those that are made in one turn share a sync. */
  async #append(): Promise<void> {
    this.#phase('append')
    const commits: Promise<void>[] = []
    for (let commit = this.#random.integer(1, 4); commit > 0; commit -= 1) {
      for (let record = this.#random.integer(1, 4); record > 0; record -= 1) {
        const id = (this.#lastId += 1)
        const position = this.#log.append(1 + (id % 3), id % 4, payloadOf(id))
        this.#disk.note({ kind: 'appended', id, position })
      }
      const last = this.#lastId
      const level = this.#random.chance(0.4) ? 'os' : 'disk'
      const committed = this.#log.commit(level).then(() => {
        if (level === 'disk') this.#disk.note({ kind: 'acknowledged', id: last })
        return undefined
      })
      commits.push(committed)
      if (this.#random.chance(0.5)) await committed
    }
    await Promise.all(commits)
  }

  async #checkpoint(): Promise<void> {
    this.#phase('checkpoint')
    await this.#log.commit()
    const id = this.#lastId
    this.#disk.note({ kind: 'acknowledged', id })
    this.#disk.note({ kind: 'checkpoint', id, isDone: false })
    const payload = payloadOf(id, 20)
    await writeCheckpoint(this.#disk, 'store', { logId: this.#log.id, position: this.#log.safe, payload })
    this.#disk.note({ kind: 'checkpoint', id, isDone: true })
  }

  async #compact(): Promise<void> {
    this.#phase('compact')
    for (let id = 1; id <= this.#lastId; id += 1) if (this.#random.chance(0.4)) this.#dead.add(id)
    this.#disk.note({ kind: 'dead', ids: new Set(this.#dead) })
    await this.#log.compact((record) => !this.#dead.has(idOf(record)), { deadShare: 0.1 })
  }

  #phase(phase: Phase): void {
    this.#disk.note({ kind: 'phase', phase })
  }
}

/** Says in the notes when a new segment is being made while records are appended. */
function noticingSegments(disk: RecordingDisk<Note>): Disk {
  const phaseNow = (): Phase => {
    for (let index = disk.recorded.length - 1; index >= 0; index -= 1) {
      const event = disk.recorded[index]
      if (event?.kind === 'note' && event.note.kind === 'phase') return event.note.phase
    }
    return 'open'
  }
  return {
    open: (path, options) => {
      if (path.endsWith('.tmp') && phaseNow() === 'append') disk.note({ kind: 'phase', phase: 'rotate' })
      return disk.open(path, options)
    },
    list: (path) => disk.list(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory: async (path) => {
      await disk.syncDirectory(path)
      if (phaseNow() === 'rotate') disk.note({ kind: 'phase', phase: 'append' })
    },
  }
}
