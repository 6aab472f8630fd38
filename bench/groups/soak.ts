import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Courses } from '../soak/course.ts'
import { anonymousBytes, descriptors } from '../soak/process-use.ts'
import type { SoakOptions, SoakReport } from '../soak/program.ts'
import { diskBytes } from './disk-use.ts'
import { MemberProcess } from './member-process.ts'
import type { GroupId, NodeId } from 'plait'
import { levelAll } from './trio.ts'

const places = 1_000
const rate = 100
const snapshotEntries = 2_000
/** Between one thing that is done to the group and the next. */
const gapSeconds = 15
const guestOperations = 100
const levelMs = 60_000
/** A guest that has not come to publishing by then has failed. */
const guestMs = 120_000

interface Resident {
  readonly name: string
  readonly folder: string
  readonly writer: number
  process: MemberProcess
  port: number
  node: NodeId
  published: number
}

/**
 * A group that lives with trouble: Ann reads, Ben and Cat publish all the time, Ben is stopped at times, so that nobody hears of him for a
 * while, Cat is killed and comes back, and guests join, publish, are removed, and are killed.
 */
export class Soak {
  readonly #options: SoakOptions
  readonly #residents: Resident[] = []
  readonly #counts = { kills: 0, stops: 0, joins: 0 }
  readonly #failures: string[] = []
  #id = '' as GroupId
  #isOver = false
  #operations = 0
  #guests: MemberProcess[] = []

  constructor(options: SoakOptions) {
    this.#options = options
  }

  async run(): Promise<SoakReport> {
    try {
      for (const [writer, name] of ['ann', 'ben', 'cat'].entries()) await this.#settle(name, writer)
      const courses = new Courses()
      const working = [...this.#residents.slice(1).map((resident) => this.#publish(resident)), this.#look(courses)]
      const noted = working.map((work) => this.#noted(work))
      await this.#noted(this.#trouble())
      this.#isOver = true
      await Promise.all(noted)
      await this.#noted(this.#compare())
      const { kills, stops, joins } = this.#counts
      const summary = `${this.#operations} operations, ${kills} kills, ${stops} stops, ${joins} guests`
      return { courses: courses.judge(this.#options.judgedFromSeconds), summary, failures: this.#failures }
    } finally {
      await Promise.all([...this.#residents.map(({ process }) => process), ...this.#guests].map((one) => one.end()))
    }
  }

  /** What fails is told with what was seen until then. */
  async #noted(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => this.#failures.push(error instanceof Error ? error.message : String(error)))
  }

  async #compare(): Promise<void> {
    const processes = this.#residents.map(({ process }) => process)
    const clock = await levelAll(processes, levelMs)
    this.#operations = Object.values(clock).reduce((sum, number) => sum + number, 0)
    this.#options.say('all are level')
    const hashes = await Promise.all(processes.map(async (process) => (await process.ask('hash', {})).hash))
    if (new Set(hashes).size !== 1) this.#failures.push('the members have come to different states')
    for (const { name, process } of this.#residents)
      for (const failure of (await process.ask('facts', { collect: false })).failures)
        this.#failures.push(`${name}: ${failure}`)
  }

  async #settle(name: string, writer: number): Promise<void> {
    const process = new MemberProcess(name)
    const folder = join(this.#options.folder, name)
    const first = this.#residents[0]
    const link = first === undefined ? {} : { link: (await first.process.ask('invite', {})).link }
    const { id, node, port } = await process.ask('open', { folder, kind: 'table', snapshotEntries, ...link })
    this.#id = id
    this.#residents.push({ name, folder, writer, process, port, node, published: 0 })
  }

  /** A second at a time. Who is killed under way goes on when it is back. */
  async #publish(resident: Resident): Promise<void> {
    while (!this.#isOver) {
      const { process, writer } = resident
      const order = {
        operations: rate,
        rate,
        inFlight: 8,
        bytes: 200,
        first: resident.published,
        places,
        writer,
      } as const
      resident.published += rate
      await process.ask('publish', { ...order, replication: 'local' }).catch(async (error: unknown) => {
        if (process === resident.process && !this.#isOver && !String(error).includes('ended')) throw error
        await sleep(200)
      })
    }
  }

  async #look(courses: Courses): Promise<void> {
    while (!this.#isOver) {
      await sleep(Math.min(1_000, this.#options.seconds * 20))
      for (const { name, process, folder } of this.#residents) {
        courses.note(name, 'disk', diskBytes(folder))
        // Of a process that is killed there is no course; one that is stopped does not answer.
        if (name === 'cat') continue
        courses.note(name, 'memory', anonymousBytes(process.pid))
        courses.note(name, 'descriptors', descriptors(process.pid))
        if (name === 'ann') courses.note(name, 'heap', (await process.ask('facts', { collect: true })).heapBytes)
      }
    }
  }

  async #trouble(): Promise<void> {
    const { seconds } = this.#options
    const [ann, ben, cat] = this.#residents as [Resident, Resident, Resident]
    const gapMs = Math.min(gapSeconds, seconds / 8) * 1_000
    const ends = performance.now() + seconds * 1_000
    const kinds = [
      () => this.#stop(ben, gapMs / 5),
      () => this.#kill(cat),
      () => this.#visit(ann),
      () => this.#stop(ben, gapMs),
    ]
    for (let round = 0; ; round += 1) {
      if (performance.now() + 2 * gapMs > ends) break
      await sleep(gapMs)
      await this.#noted(kinds[round % kinds.length]?.() ?? Promise.resolve())
    }
    await sleep(Math.max(0, ends - performance.now()))
  }

  async #stop({ name, process }: Resident, ms: number): Promise<void> {
    this.#options.say(`${name} is stopped for ${(ms / 1_000).toFixed(1)} s`)
    this.#counts.stops += 1
    process.signal('SIGSTOP')
    await sleep(ms)
    process.signal('SIGCONT')
  }

  async #kill(resident: Resident): Promise<void> {
    this.#options.say(`${resident.name} is killed`)
    this.#counts.kills += 1
    await resident.process.end()
    const process = new MemberProcess(resident.name)
    const { folder, port } = resident
    await process.ask('open', { folder, kind: 'table', snapshotEntries, id: this.#id, port })
    resident.process = process
  }

  async #visit(host: Resident): Promise<void> {
    this.#counts.joins += 1
    const name = `guest-${this.#counts.joins}`
    this.#options.say(`${name} joins`)
    const guest = new MemberProcess(name)
    this.#guests.push(guest)
    const { link } = await host.process.ask('invite', {})
    const folder = join(this.#options.folder, name)
    const { node } = await guest.ask('open', { folder, kind: 'table', snapshotEntries, link }, guestMs)
    const order = { operations: guestOperations, inFlight: 8, bytes: 200, first: 0, places, writer: 3 } as const
    await guest.ask('publish', { ...order, replication: 'one' }, guestMs)
    await host.process.ask('remove', { node })
    await guest.end()
    this.#options.say(`${name} is removed`)
  }
}
