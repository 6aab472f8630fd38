import { expect, it } from 'vitest'
import { count, fullCounts, withinMs } from '../counts.ts'
import { Member, texts, until } from './members.ts'

// A member that is frozen: the others neither wait for it nor notice it.

interface Run {
  readonly p99: number
  /** From the first publish until the other member had all. */
  readonly allMs: number
}

it(
  'G4 a frozen member holds nobody up, a member starts alone, and the frozen one catches up',
  { timeout: 600_000 },
  async () => {
    const messages = count(1_000, 100)
    const rounds = fullCounts ? 3 : 2
    const [publisher, other, frozen] = (await Member.group('list', 2)) as [Member, Member, Member]
    let published = 0
    const run = async (): Promise<Run> => {
      const begunAt = Date.now()
      const publishing = publisher.ask<number[]>('publish', {
        texts: texts(published + 1, published + messages),
        replication: 'one',
      })
      published += messages
      const last = await other.ask<number>('has', { count: published })
      const durations = (await publishing).sort((left, right) => left - right)
      return { p99: durations[Math.floor(messages * 0.99)] as number, allMs: last - begunAt }
    }
    await run()
    const alive: Run[] = []
    const dead: Run[] = []
    for (let round = 0; round < rounds; round += 1) {
      await frozen.ask('has', { count: published })
      alive.push(await run())
      frozen.freeze()
      dead.push(await run())
      await frozen.wake()
    }
    const median = (values: readonly number[]): number =>
      values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] as number
    const [before, after] = [alive, dead].map((runs) => ({
      p99: median(runs.map(({ p99 }) => p99)),
      allMs: median(runs.map(({ allMs }) => allMs)),
    })) as [Run, Run]
    const shown = ({ p99, allMs }: Run): string =>
      `p99 ${p99.toFixed(1)} ms, all ${messages} after ${allMs.toFixed(0)} ms`
    process.stdout.write(`with it: ${shown(before)}; without: ${shown(after)}\n`)
    // A tenth, and what the same run differs by from itself.
    const noise = (runs: readonly number[]): number => Math.max(...runs) - Math.min(...runs)
    expect(after.p99).toBeLessThan(1.1 * before.p99 + Math.max(withinMs(2), noise(alive.map(({ p99 }) => p99))))
    expect(after.allMs).toBeLessThan(
      1.1 * before.allMs + Math.max(withinMs(100), noise(alive.map(({ allMs }) => allMs))),
    )
    // One member starts while another one is frozen, and the third one is down.
    frozen.freeze()
    await other.far.program.kill('SIGKILL')
    await publisher.killAndStart()
    const alone = texts(published + 1, published + 10)
    await publisher.ask('publish', { texts: alone })
    published += alone.length
    const { joinedMs } = await publisher.facts()
    process.stdout.write(`it can write ${joinedMs.toFixed(0)} ms after it was started alone\n`)
    expect(joinedMs).toBeLessThan(withinMs(1_000))
    await frozen.wake()
    const wokeAt = performance.now()
    await frozen.ask('has', { count: published })
    process.stdout.write(`the frozen one had all ${(performance.now() - wokeAt).toFixed(0)} ms after it woke\n`)
    expect((await frozen.listed()).map(({ text }) => text)).toEqual(texts(1, published))
    await other.startAgain()
    await until(async () => (await other.listed()).some(({ text }) => text === `m${published}`))
  },
)
