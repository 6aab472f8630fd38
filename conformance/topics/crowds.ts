import { fileURLToPath } from 'node:url'
import type { BroadcastSettings, PublishReport } from 'plait'
import { Far } from '../feeds/far.ts'

const file = fileURLToPath(new URL('./crowd.ts', import.meta.url))

export interface Joined {
  readonly id: string
  readonly address: string
}

/** Some members in a process of their own. */
export class Crowd {
  readonly far: Far
  readonly members: Joined[] = []

  private constructor(far: Far) {
    this.far = far
  }

  static async start(settings: Partial<BroadcastSettings> = {}): Promise<Crowd> {
    return new Crowd(await Far.start('', { file, args: [JSON.stringify(settings)] }))
  }

  /** Without an address the first one is where the others join. */
  async join(count: number, addresses: readonly string[]): Promise<readonly Joined[]> {
    const joined = await this.far.ask<readonly Joined[]>('join', { count, addresses })
    this.members.push(...joined)
    return joined
  }

  async leave(id: string): Promise<void> {
    const index = this.members.findIndex((member) => member.id === id)
    this.members.splice(index, 1)
    await this.far.ask('leave', { id })
  }

  publish(id: string, first: number, count: number, gapMs = 0): Promise<readonly PublishReport[]> {
    return this.far.ask('publish', { id, first, count, gapMs })
  }

  views(): Promise<readonly (readonly string[])[]> {
    return this.far.ask('views')
  }

  heard(): Promise<Readonly<Record<string, readonly string[]>>> {
    return this.far.ask('heard')
  }

  facts(): Promise<{ readonly bodies: number; readonly shapes: readonly string[] }> {
    return this.far.ask('facts')
  }
}

/** One network by the address of the first of its members, so many of them in each process; all know each other. */
export async function startCrowds(
  sizes: readonly number[],
  settings: Partial<BroadcastSettings> = {},
): Promise<readonly Crowd[]> {
  const crowds = await Promise.all(sizes.map(() => Crowd.start(settings)))
  const addresses: string[] = []
  for (const [index, crowd] of crowds.entries()) {
    const joined = await crowd.join(sizes[index] ?? 0, addresses.slice(0, 1))
    addresses.push(...joined.map(({ address }) => address))
  }
  await level(crowds)
  return crowds
}

const levelMs = 60_000

/** Resolves when each knows all of them and nobody else, with how long that took, in ms. */
export async function level(crowds: readonly Crowd[], limitMs: number = levelMs): Promise<number> {
  const beganAt = performance.now()
  const ids = crowds.flatMap(({ members }) => members.map(({ id }) => id)).toSorted()
  for (;;) {
    const views = (await Promise.all(crowds.map((crowd) => crowd.views()))).flat()
    const wrong = views.filter((view) => view.join() !== ids.join())
    const tookMs = performance.now() - beganAt
    if (wrong.length === 0) return tookMs
    if (tookMs > limitMs)
      throw new Error(`after ${tookMs.toFixed(0)} ms ${wrong.length} of ${ids.length} see ${wrong[0]?.length} members`)
    await pause()
  }
}

/** Resolves when everybody but the author has heard so many messages, with how long that took, in ms. */
export async function heardBy(
  crowds: readonly Crowd[],
  author: string,
  count: number,
  limitMs: number,
): Promise<number> {
  const beganAt = performance.now()
  for (;;) {
    const heard = (await Promise.all(crowds.map((crowd) => crowd.heard()))).flatMap(Object.entries)
    const late = heard.filter(([id, texts]) => id !== author && texts.length < count)
    const tookMs = performance.now() - beganAt
    if (late.length === 0) return tookMs
    if (tookMs > limitMs)
      throw new Error(`after ${tookMs.toFixed(0)} ms ${late.map(([id, { length }]) => `${id}: ${length}`).join(', ')}`)
    await pause()
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20))
}
