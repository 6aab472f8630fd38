import { setTimeout as sleep } from 'node:timers/promises'
import { Courses } from '../soak/course.ts'
import { anonymousBytes, descriptors } from '../soak/process-use.ts'
import type { SoakOptions, SoakReport } from '../soak/program.ts'
import { Cable } from './cable.ts'
import { End } from './end.ts'
import { lossesIn, marksIn } from './lost.ts'
import { plait } from './plait.ts'
import { processTree } from './process-tree.ts'
import { digestTree, isSameTree } from './tree-digest.ts'
import { shared, Writer } from './writer.ts'

/** Collections are forced every few seconds: the slope is of what stays. */
const collecting = ['--expose-gc', `--import=${new URL('collecting.ts', import.meta.url).href}`]
const perSecond = 5
const levelSecondsMost = 120
/** So long equal means that nothing is under way. */
const stableSeconds = 5
/** How long nothing passes: too short to be noticed, and long enough for both to give the connection up. */
const silencesMs = [300, 5_000]

/** Two programs that keep a folder the same, a user at each end, and a cable that is pulled every few seconds. */
export class FolderSoak {
  readonly #options: SoakOptions
  readonly #failures: string[] = []
  #state: number
  #cuts = 0
  #isOver = false

  constructor(options: SoakOptions) {
    this.#options = options
    this.#state = options.seed
  }

  async run(): Promise<SoakReport> {
    const cable = await Cable.lay()
    const [near, far] = [new End(cable, 'near', this.#options.folder), new End(cable, 'far', this.#options.folder)]
    const chance = (): number => this.#chance()
    try {
      const nearUser = new Writer({ side: 'near', folder: near.folder, scratch: near.scratch, chance })
      for (const part of ['near', shared]) nearUser.fill(part)
      const copying = await plait.open({ near, far, profileFolder: undefined, nodeArguments: collecting })
      await copying.once()
      await copying.live?.()
      const farUser = new Writer({ side: 'far', folder: far.folder, scratch: far.scratch, chance })
      farUser.fill('far')
      const users = [nearUser, farUser]
      const isOver = (): boolean => this.#isOver
      const courses = new Courses()
      const working = [
        ...users.map((user) => this.#noted(user.work(isOver, perSecond))),
        this.#noted(this.#look(courses, { near, far })),
        this.#noted(this.#pull(cable)),
      ]
      await this.#while(this.#options.seconds * 1_000)
      this.#isOver = true
      await Promise.all(working)
      if (this.#failures.length > 0) throw new Error(this.#failures.join('\n'))
      const levelSeconds = await this.#level(near.folder, far.folder)
      const marks = marksIn(far.folder)
      this.#failures.push(...lossesIn(marks, users))
      const conflicts = [...marks.keys()].filter((path) => path.includes('(conflict of')).length
      await copying.close()
      const operations = users.reduce((sum, user) => sum + user.operations, 0)
      const summary = `${operations} operations, ${this.#cuts} cuts, ${marks.size} files at the end, ${conflicts} of them conflicts; equal after ${levelSeconds.toFixed(1)} s`
      return { courses: courses.judge(this.#options.judgedFromSeconds), summary, failures: this.#failures }
    } finally {
      await Promise.all([near.close(), far.close()])
      cable.close()
    }
  }

  /** What fails ends it, and is told with what was seen until then. */
  async #noted(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      this.#failures.push(error instanceof Error ? error.message : String(error))
      this.#isOver = true
    })
  }

  async #pull(cable: Cable): Promise<void> {
    for (let turn = 0; ; turn += 1) {
      await this.#while(2_000 + 4_000 * this.#chance())
      if (this.#isOver) return
      this.#cuts += 1
      const ms = silencesMs[turn % (silencesMs.length + 1)]
      this.#options.say(ms === undefined ? 'connections are reset' : `nothing passes for ${ms / 1_000} s`)
      if (ms === undefined) {
        cable.reset()
        continue
      }
      cable.unplug()
      await sleep(ms)
      cable.plug()
    }
  }

  async #while(ms: number): Promise<void> {
    for (const endsAt = performance.now() + ms; performance.now() < endsAt && !this.#isOver;) await sleep(100)
  }

  async #look(courses: Courses, ends: Readonly<Record<string, End>>): Promise<void> {
    while (!this.#isOver) {
      await sleep(Math.min(1_000, this.#options.seconds * 20))
      for (const [name, end] of Object.entries(ends)) {
        for (const server of end.servers) server.check()
        const sum = (of: (pid: number) => number): number =>
          end.servers.flatMap(({ pid }) => processTree(pid)).reduce((total, pid) => total + of(pid), 0)
        courses.note(name, 'memory', sum(anonymousBytes))
        courses.note(name, 'descriptors', sum(descriptors))
      }
    }
  }

  async #level(near: string, far: string): Promise<number> {
    const began = performance.now()
    const since = (): number => (performance.now() - began) / 1_000
    let levelAt: number | undefined
    while (levelAt === undefined || since() - levelAt < stableSeconds) {
      if (since() > levelSecondsMost) {
        this.#failures.push(`the trees are not equal ${levelSecondsMost} s after the last change`)
        return Number.NaN
      }
      await sleep(250)
      if (!areEqual(near, far)) levelAt = undefined
      else levelAt ??= since()
    }
    this.#options.say(`both trees are equal`)
    return levelAt
  }

  /** Numbers from 0 to 1 that follow from the seed. */
  #chance(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** While something comes and goes they are not. */
function areEqual(near: string, far: string): boolean {
  try {
    return isSameTree(digestTree(near), digestTree(far), plait.timesWithinNs)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
