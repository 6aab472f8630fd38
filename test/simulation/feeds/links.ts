import { PlaitError } from '../../../src/base/error.ts'
import type { FeedConnection } from '../../../src/feed/feed-api.ts'
import type { SeededRandom } from '../../../src/testing/index.ts'
import type { Life } from './life.ts'
import type { Site } from './site.ts'

/** Opens a connection from one site to another, closes it and opens it again, for one life. */
export async function keepLink(from: Site, life: Life, to: Site, random: SeededRandom): Promise<void> {
  await life.sleep(random.real() * 500)
  while (!life.isOver && !from.isDone) {
    const connection = await connect(life, to)
    if (connection === undefined) {
      await life.sleep(random.logarithmic(50, 2_000))
      continue
    }
    await life.sleep(random.logarithmic(200, 20_000))
    if (life.isOver || from.isDone) return
    await life.call('close a connection', connection.close())
    await life.sleep(random.logarithmic(10, 2_000))
  }
}

/** Does not give up, and keeps the connection. */
export async function join(life: Life, to: Site): Promise<void> {
  while (!life.isOver && (await connect(life, to)) === undefined) await life.sleep(500)
}

/** Undefined when it was in vain: somebody is down, cut off, or left alone for a fault. */
async function connect(life: Life, to: Site): Promise<FeedConnection | undefined> {
  try {
    return await life.feeds.connect(to.node.address, { signal: life.ending.signal })
  } catch (error) {
    if (!PlaitError.is(error) && !life.process.scope.ended) life.wrong(`connect failed untyped: ${String(error)}`)
    return undefined
  }
}
