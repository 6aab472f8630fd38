import { expect, it } from 'vitest'
import { PlaitError } from '../../../src/base/error.ts'
import type { FeedLog } from '../../../src/feed/storage/feed-log.ts'
import { FeedWriter } from '../../../src/feed/storage/feed-writer.ts'
import { SimulatedDisk } from '../../../src/runtime/simulated/disk.ts'
import { batchOf, openLog, ownName, writer } from './crash-play.ts'
import { blockOf } from './feed-place.ts'

/** A writer of some blocks who appends one more, and hears of five while that is made durable. */
class Race {
  readonly disk: SimulatedDisk = new SimulatedDisk({
    delay: (operation, path) => (operation === 'sync' && path.startsWith('log/') ? this.#gate : Promise.resolve()),
    fault: (operation) => (operation === 'write' && this.isFull ? new PlaitError('NO_SPACE', 'full') : undefined),
  })
  isFull = false
  log!: FeedLog
  #gate: Promise<void> = Promise.resolve()
  #heard: number | undefined

  /** `meanwhile` happens during the sync. Resolves to what has come of the block. */
  async run(meanwhile: () => void, before: readonly number[] = [1, 2, 3]): Promise<unknown> {
    this.log = await openLog(this.disk, {})
    const feed = await this.log.add(ownName)
    const options = { feed, signer: writer, behind: () => this.#heard, signed: () => {} }
    const feedWriter = new FeedWriter(options)
    const blocks = before.map((id) => blockOf(id))
    if (blocks.length > 0) await feedWriter.append(blocks, blocks.length)
    let open = (): void => {}
    this.#gate = new Promise((resolve) => (open = resolve))
    const answer = feedWriter.append([blockOf(100)], 1).catch((error: unknown) => (error as PlaitError).code)
    while (this.log.feeds.length === 0 || !this.disk.unsynced().some(({ path }) => path.startsWith('log/')))
      await Promise.resolve()
    this.#heard = 5
    meanwhile()
    open()
    return answer
  }

  store(): Promise<boolean> {
    const feed = this.log.find(ownName)
    return new Promise((resolve) => feed?.store(batchOf(0, 3, [1, 2, 3, 4, 5]), resolve))
  }

  /** What the feed holds now, and when it is opened again with nothing but its log. */
  async state(): Promise<readonly unknown[]> {
    const states = []
    for (let isAgain = 0; isAgain < 2; isAgain += 1) {
      const feed = this.log.find(ownName)
      const blocks = await feed?.blocks(0, feed.have.nextHole(0), 10_000).catch(() => [])
      states.push([feed?.tip.fork, feed?.tip.length, feed?.have.count, feed?.ownLength, blocks?.at(-1)])
      await this.log.close()
      await this.disk.remove('checkpoint').catch(() => {})
      if (isAgain === 0) this.log = await openLog(this.disk, {})
    }
    return states
  }
}

it('blocks that are withdrawn take nothing with them that is fetched meanwhile', async () => {
  const race = new Race()
  const fetched: Promise<boolean>[] = []
  expect(await race.run(() => fetched.push(race.store()))).toBe('FEED_BEHIND')
  expect(await Promise.all(fetched)).toEqual([true])
  expect(await race.state()).toEqual([
    [0, 5, 5, 3, blockOf(5)],
    [0, 5, 5, 3, blockOf(5)],
  ])
})

it('blocks that are withdrawn do not bring back a fork that is given up meanwhile', async () => {
  const race = new Race()
  const resets: boolean[] = []
  expect(await race.run(() => race.log.find(ownName)?.reset(1, (isReset) => resets.push(isReset)), [])).toBe(
    'FEED_BEHIND',
  )
  await race.log.find(ownName)?.rounds.idle()
  expect(resets).toEqual([true])
  expect(await race.state()).toEqual([
    [1, 0, 0, 0, undefined],
    [1, 0, 0, 0, undefined],
  ])
})

it('blocks that could not be withdrawn for want of room are, before anything follows them', async () => {
  const race = new Race()
  const answer = race.run(() => (race.isFull = true))
  expect(await answer).toBe('FEED_BEHIND')
  race.isFull = false
  expect(await race.store()).toBe(true)
  expect(await race.state()).toEqual([
    [0, 5, 5, 3, blockOf(5)],
    [0, 5, 5, 3, blockOf(5)],
  ])
})

it('blocks that could not be withdrawn for want of room are when the log is closed', async () => {
  const race = new Race()
  expect(await race.run(() => (race.isFull = true))).toBe('FEED_BEHIND')
  race.isFull = false
  expect(await race.state()).toEqual([
    [0, 3, 3, 3, blockOf(3)],
    [0, 3, 3, 3, blockOf(3)],
  ])
})
