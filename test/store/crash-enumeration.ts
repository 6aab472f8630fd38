import { crashStates, type CrashState } from '../../src/runtime/simulated/crash-states.ts'
import { RecordingDisk } from '../../src/runtime/simulated/recording-disk.ts'
import { CountingProbe } from '../../src/runtime/simulated/probe.ts'
import { storeMarks } from '../../src/runtime/marks.ts'
import { violations } from './crash-check.ts'
import { phases, playScenario, segmentBytes, type Note, type Phase } from './crash-scenarios.ts'
import { LogPlace } from './log-place.ts'

export interface Enumeration {
  readonly states: number
  readonly statesByPhase: ReadonlyMap<Phase, number>
  readonly marks: ReadonlyMap<string, number>
  /** The first ones, with the seed and the state that they were found in. */
  readonly violations: readonly string[]
}

/**
 * Opens the store in every state that a power cut can leave in scenario after scenario, until there were `states` of them and some
 * in each phase; and in some of them cuts the power again while it is being opened.
 */
export async function enumerateCrashes(states: number, tearBytes: number): Promise<Enumeration> {
  const run = new Run(states)
  const options = { tearBytes, selectionsMax: 60 }
  for (let seed = 1; !run.isOver; seed += 1) {
    const { recorded } = await playScenario(seed, seed % 3 === 0 ? 40 : 16, run.probe)
    for await (const state of crashStates(recorded, options)) {
      // Before anybody has opened it.
      const base = run.states % recoverEvery === 0 ? state.disk.afterCrash() : undefined
      await run.open(state, `scenario ${seed}`)
      if (base === undefined) continue
      const again = new RecordingDisk<Note>(base.afterCrash())
      again.note({ kind: 'phase', phase: 'recover' })
      const place = new LogPlace(again, { limits: { segmentBytes }, probe: run.probe })
      await place.open()
      for (const { notes, description, disk } of await all(crashStates(again.recorded, { selectionsMax: 12, base }))) {
        await run.open({ notes: [...state.notes, ...notes], description, disk }, `${seed}, ${state.description}, then`)
      }
      if (run.isOver) break
    }
  }
  return { states: run.states, statesByPhase: run.statesByPhase, marks: run.probe.counts(), violations: run.violations }
}

class Run {
  states = 0
  readonly statesByPhase = new Map<Phase, number>(phases.map((phase) => [phase, 0]))
  readonly probe = new CountingProbe(storeMarks)
  readonly violations: string[] = []

  readonly #wanted: number

  constructor(wanted: number) {
    this.#wanted = wanted
  }

  /** There were enough, of each phase, or something is wrong. */
  get isOver(): boolean {
    const isEnough = this.states >= this.#wanted && [...this.statesByPhase.values()].every((count) => count > 0)
    return isEnough || this.violations.length >= violationsMax
  }

  async open({ notes, description, disk }: CrashState<Note>, where: string): Promise<void> {
    if (this.isOver) return
    const wrong = await violations(disk, notes, this.probe)
    if (wrong.length > 0) this.violations.push(`${where}, ${description}: ${wrong.slice(0, 3).join('; ')}`)
    const phase = notes.findLast((note) => note.kind === 'phase')?.phase ?? 'open'
    this.statesByPhase.set(phase, (this.statesByPhase.get(phase) ?? 0) + 1)
    this.states += 1
  }
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}

const recoverEvery = 150
const violationsMax = 5

/** One line for people. */
export function describeEnumeration({ states, statesByPhase, violations: wrong }: Enumeration): string {
  const byPhase = [...statesByPhase].map(([phase, count]) => `${phase} ${count}`).join(', ')
  return `${states} states after a power cut opened, ${wrong.length} violations: ${byPhase}`
}
