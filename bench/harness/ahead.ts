import { baseline, isRival } from './names.ts'
import { ratioBetween, type Sample } from './rows.ts'

/** What plait is compared by with each rival. */
interface Contest {
  readonly workload: string
  readonly metric: string
  readonly better: 'more' | 'less'
  /** How far behind still counts as ahead. */
  readonly slack: number
}

const contests: readonly Contest[] = [
  // Nearly all of a lone round trip is the system's and not the rival's: whoever is within this has done what can be done.
  { workload: 'W1', metric: 'p50', better: 'less', slack: 1.15 },
  { workload: 'W2', metric: 'rate', better: 'more', slack: 1 },
  { workload: 'W2', metric: 'cpu', better: 'less', slack: 1 },
  { workload: 'W3', metric: 'rate', better: 'more', slack: 1 },
  { workload: 'W3', metric: 'cpu', better: 'less', slack: 1 },
  { workload: 'W4', metric: 'rate', better: 'more', slack: 1 },
  { workload: 'W4', metric: 'cpu', better: 'less', slack: 1 },
  { workload: 'W5', metric: 'rate', better: 'more', slack: 1 },
  { workload: 'W5', metric: 'memoryDial', better: 'less', slack: 1 },
  { workload: 'W5', metric: 'memoryListen', better: 'less', slack: 1 },
  { workload: 'W6', metric: 'rate', better: 'more', slack: 1 },
  { workload: 'W6', metric: 'cpu', better: 'less', slack: 1 },
  { workload: 'W7', metric: 'p99', better: 'less', slack: 1 },
]

/** A rival whose bulk is slower than this share of raw tls's has an easy life with its pings: it is not compared in W7. */
const leastBulkShare = 0.5

const us = 'plait'

/** How plait stands against the best rival in one metric. */
export interface Standing extends Contest {
  /** Those that it was compared with: that ran, and in W7 carried enough. */
  readonly rivals: readonly string[]
  readonly best: string
  /** plait's figure divided by that rival's: the median of the repeats. */
  readonly figure: number
  readonly ahead: boolean
}

/** One standing for each metric in which plait and at least one rival ran. */
export function standingsOf(samples: readonly Sample[]): Standing[] {
  return contests.flatMap((contest) => {
    const { workload, metric, better, slack } = contest
    const figures = rivalsOf(samples, workload).flatMap((peer) => {
      const ratio = ratioBetween(samples, workload, metric, us, peer)
      return ratio === undefined ? [] : [{ peer, ratio: ratio.median }]
    })
    figures.sort((a, b) => (better === 'more' ? a.ratio - b.ratio : b.ratio - a.ratio))
    const hardest = figures[0]
    if (hardest === undefined) return []
    const ahead = better === 'more' ? hardest.ratio >= 1 / slack : hardest.ratio <= slack
    return [{ ...contest, rivals: figures.map(({ peer }) => peer), best: hardest.peer, figure: hardest.ratio, ahead }]
  })
}

export function rivalsTable(standings: readonly Standing[]): string {
  return standings
    .map(({ workload, metric, rivals, best, figure, ahead, slack }) => {
      const within = slack === 1 ? '' : `, within ${slack}x`
      const verdict = ahead ? `ahead of all ${rivals.length}${within}` : 'behind'
      return `  ${`${workload} ${metric}`.padEnd(16)}${`${figure.toFixed(2)}x ${best}`.padEnd(24)}${verdict}`
    })
    .join('\n')
}

function rivalsOf(samples: readonly Sample[], workload: string): string[] {
  const ran = new Set(samples.filter((sample) => sample.workload === workload).map(({ peer }) => peer))
  return [...ran].filter((peer) => isRival(peer) && (workload !== 'W7' || carriesBulk(samples, peer)))
}

function carriesBulk(samples: readonly Sample[], peer: string): boolean {
  const share = ratioBetween(samples, 'W7', 'bulk', peer, baseline)?.median
  return share !== undefined && share >= leastBulkShare
}
