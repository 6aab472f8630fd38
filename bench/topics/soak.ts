import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { machineMs } from '../groups/latency-log.ts'
import { Courses } from '../soak/course.ts'
import { anonymousBytes, descriptors } from '../soak/process-use.ts'
import type { SoakOptions, SoakReport } from '../soak/program.ts'
import { judgeLives, Life } from './life.ts'
import { TalkerProcess } from './talker-process.ts'

const size = 20
/** The last of them are never killed. */
const kept = 4
const killEveryMs = 2_000
const askEveryMs = 300
/** At the end nobody is killed any more, nor publishes: so long what is under way may take. */
const restMs = 13_000
const firstMs = 30_000
/** The one whose heap is looked at. */
const collected = 'n19'

interface Place {
  readonly name: string
  readonly isKept: boolean
  process: TalkerProcess
  life: Life
  keyFile: string
  port: number
  url: string
  id: string
}

/** Twenty processes that form one network by the address of the first, and of which one is killed every two seconds and comes back. */
export class TopicsSoak {
  readonly #options: SoakOptions
  readonly #places: Place[] = []
  readonly #lives: Life[] = []
  readonly #failures: string[] = []
  #kills = 0
  #strangers = 0
  #isOver = false
  #state: number

  constructor(options: SoakOptions) {
    this.#options = options
    this.#state = options.seed
  }

  async run(): Promise<SoakReport> {
    const { say } = this.#options
    try {
      for (let index = 0; index < size; index += 1) await this.#settle(`n${index}`, index >= size - kept)
      await this.#level(firstMs)
      say(`${size} members know each other`)
      const courses = new Courses()
      const working = [this.#ask(), this.#look(courses)].map((work) => this.#noted(work))
      await this.#noted(this.#trouble())
      await Promise.all(this.#places.map(({ process }) => process.ask('hush', {})))
      await sleep(restMs)
      await this.#noted(this.#level(0))
      this.#isOver = true
      await Promise.all(working)
      const { messages, deliveries, failures } = judgeLives(this.#lives)
      const summary = `${this.#kills} kills, ${this.#strangers} came back with another key; ${messages} messages judged, ${deliveries} deliveries owed`
      return {
        courses: courses.judge(this.#options.judgedFromSeconds),
        summary,
        failures: [...this.#failures, ...failures],
      }
    } finally {
      await Promise.all(this.#places.map(({ process }) => process.end()))
    }
  }

  /** What fails is told with what was seen until then. */
  async #noted(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => this.#failures.push(error instanceof Error ? error.message : String(error)))
  }

  async #settle(name: string, isKept: boolean): Promise<void> {
    const keyFile = join(this.#options.folder, `${name}.key`)
    const place = { ...this.#begin(name), name, isKept, keyFile, port: 0, url: '', id: '' }
    this.#places.push(place)
    await this.#open(place, name === 'n0' ? [] : [(this.#places[0] as Place).url])
  }

  #begin(name: string): { readonly process: TalkerProcess; readonly life: Life } {
    const life = new Life(this.#lives.length, name)
    this.#lives.push(life)
    return { life, process: new TalkerProcess(name) }
  }

  async #open(place: Place, addresses: readonly string[]): Promise<void> {
    const { life, process, keyFile, port } = place
    Object.assign(place, await process.ask('open', { life: life.number, keyFile, port, join: addresses }))
    life.beganMs = machineMs()
  }

  /** Resolves when each of them knows these and nobody else. */
  async #level(patienceMs: number): Promise<void> {
    const deadline = machineMs() + patienceMs
    for (;;) {
      const ids = this.#places.map(({ id }) => id).toSorted()
      const views = await Promise.all(this.#places.map(({ process }) => process.ask('facts', { collect: false })))
      const wrong = this.#places.filter((_, index) => views[index]?.present.join() !== ids.join())
      if (wrong.length === 0) return
      if (machineMs() > deadline)
        throw new Error(`${wrong.map(({ name }) => name).join(', ')} do not know exactly who is there`)
      await sleep(askEveryMs)
    }
  }

  async #trouble(): Promise<void> {
    const began = machineMs()
    const endsMs = began + this.#options.seconds * 1_000
    for (let dueMs = began + killEveryMs; dueMs <= endsMs; dueMs = Math.max(dueMs + killEveryMs, machineMs())) {
      await sleep(Math.max(0, dueMs - machineMs()))
      await this.#kill(this.#places[Math.floor(this.#chance() * (size - kept))] as Place)
    }
  }

  /** It comes back at once, by what is known of the first one and of two others by then. */
  async #kill(place: Place): Promise<void> {
    await this.#report(place)
    await place.process.end()
    place.life.endedMs = machineMs()
    this.#kills += 1
    const isStranger = this.#chance() < 0.5
    if (isStranger) {
      this.#strangers += 1
      place.keyFile = join(this.#options.folder, `${place.name}-${this.#strangers}.key`)
    }
    this.#options.say(`${place.name} is killed, and comes back ${isStranger ? 'with another key' : 'as it was'}`)
    Object.assign(place, this.#begin(place.name))
    const others = [0, this.#chance(), this.#chance()].map((chance) => this.#places[Math.floor(chance * size)] as Place)
    const addresses = [...new Set(others.filter((other) => other !== place).map(({ url }) => url))]
    await this.#open(place, addresses)
  }

  async #ask(): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(this.#places.map((place) => this.#report(place)))
      await sleep(askEveryMs)
    }
    await Promise.all(this.#places.map((place) => this.#report(place)))
  }

  /** What it has heard and published. Of one that is killed meanwhile nothing comes. */
  async #report({ process, life }: Place): Promise<void> {
    const report = await process.ask('report', {}).catch((error: unknown) => {
      if (String(error).includes('has been ended')) return undefined
      throw error
    })
    life.published.push(...(report?.published ?? []))
    for (const key of report?.heard ?? []) life.hear(key)
  }

  async #look(courses: Courses): Promise<void> {
    while (!this.#isOver) {
      await sleep(Math.min(1_000, this.#options.seconds * 20))
      for (const { name, process } of this.#places.filter(({ isKept }) => isKept)) {
        courses.note(name, 'memory', anonymousBytes(process.pid))
        courses.note(name, 'descriptors', descriptors(process.pid))
        if (name === collected) courses.note(name, 'heap', (await process.ask('facts', { collect: true })).heapBytes)
      }
    }
  }

  /** Numbers from 0 to 1 that follow from the seed. */
  #chance(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return this.#state / 2 ** 32
  }
}
