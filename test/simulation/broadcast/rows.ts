import type { Site } from '../../broadcast/network.ts'
import type { Town } from './town.ts'

/** What is wrong while messages are published. */
export type Condition = 'healthy' | '5 % loss' | 'churn 1 %/s' | '20 % dead'

/** In the order in which one town can bear them. */
export const conditions: readonly Condition[] = ['healthy', '5 % loss', 'churn 1 %/s', '20 % dead']

export interface Row {
  /** Live members that had to get a message, over all messages, and how many of them have. */
  readonly due: number
  readonly reached: number
  /** Bodies for a message. */
  readonly bodies: number
  readonly duplicates: number
  /** The longest way, of bodies that were not asked for. */
  readonly depth: number
  /** Virtual time until half of them have it, and all. */
  readonly halfMs: number
  readonly allMs: number
}

const messages = 3
const gapMs = 1_000
const mostMs = 20_000
/** As long as a message is offered. */
const tailMs = 7_500
/** Who has come later than so long before is not known to all. */
const joinMs = 10_000
const churnStepMs = 100
const churnPerSecond = 0.01

/** Publishes some messages under a condition, each by somebody else. */
export function measure(town: Town, condition: Condition): Row {
  const { net } = town
  const end = begin(town, condition)
  const before = countsOf(town)
  const published = Array.from({ length: messages }, () => {
    const author = net.random.pick(town.live.filter((site) => isSettled(town, site)))
    const message = { author, at: net.now, due: town.live, key: author.publish('hello').key }
    net.runTo(net.now + gapMs)
    return message
  })
  const arrivals = (): readonly number[] =>
    published.flatMap(({ author, at, due, key }) =>
      due
        .filter((site) => site.state === 'up' && site !== author && isSettled(town, site, at))
        .map((site) => (site.deliveriesByKey.get(key)?.[0]?.at ?? Infinity) - at),
    )
  const most = net.now + mostMs
  while (net.now < most && arrivals().includes(Infinity)) net.runTo(net.now + gapMs)
  end()
  // What is still offered belongs to them, too.
  net.runTo(net.now + tailMs)
  const after = countsOf(town)
  const times = [...arrivals()].sort((one, other) => one - other)
  const depths = [...town.bornAtBySite.keys()].flatMap((site) =>
    published.map(({ key }) => site.deliveriesByKey.get(key)?.[0]?.hops ?? 0),
  )
  return {
    due: times.length,
    reached: times.filter((time) => time !== Infinity).length,
    bodies: (after.bodies - before.bodies) / messages,
    duplicates: (after.duplicates - before.duplicates) / messages,
    depth: depths.reduce((most_, depth) => Math.max(most_, depth), 0),
    halfMs: times[Math.floor(times.length / 2)] ?? 0,
    allMs: times.at(-1) ?? 0,
  }
}

/** Returns what ends it. */
function begin(town: Town, condition: Condition): () => void {
  const { net } = town
  let isOver = false
  switch (condition) {
    case 'healthy':
      break
    case '20 % dead':
      for (const site of net.random.shuffle(town.live).slice(0, Math.round(town.live.length / 5))) town.kill(site)
      break
    case '5 % loss':
      net.loss = 0.05
      break
    case 'churn 1 %/s': {
      const changes = (town.live.length * churnPerSecond * churnStepMs) / 1_000
      let owed = 0
      const change = (): void => {
        if (isOver) return
        for (owed += changes; owed >= 1; owed -= 1) {
          const gone = net.random.pick(town.live)
          town.kill(gone)
          net.scheduler.at(net.now + gapMs, () => town.replace(gone))
        }
        net.scheduler.at(net.now + churnStepMs, change)
      }
      change()
      net.runTo(net.now + joinMs)
    }
  }
  return () => {
    isOver = true
    net.loss = 0
  }
}

function isSettled(town: Town, site: Site, at: number = town.net.now): boolean {
  const bornAt = town.bornAtBySite.get(site) ?? Infinity
  return bornAt === 0 || bornAt + joinMs <= at
}

function countsOf(town: Town): { readonly bodies: number; readonly duplicates: number } {
  let [bodies, duplicates] = [0, 0]
  for (const { broadcaster } of town.bornAtBySite.keys()) {
    const { counts } = broadcaster
    bodies += counts.bodiesSent
    duplicates += counts.duplicates
  }
  return { bodies, duplicates }
}
