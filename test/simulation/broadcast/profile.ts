import type { BroadcastSettings } from '../../../src/broadcast/settings.ts'
import type { SeededRandom } from '../../../src/runtime/simulated/random.ts'

/** What kind of a world a seed makes. */
export interface Profile {
  readonly members: number
  readonly latencyMs: readonly [least: number, most: number]
  readonly loss: number
  readonly settings: Partial<BroadcastSettings>
  /** How long things happen, once all have found each other. */
  readonly activeMs: number
  readonly faults: number
  readonly messages: number
  readonly isHaunted: boolean
  /** Members that hand nothing on. */
  readonly lazy: number
  readonly hasRealSignatures: boolean
}

const latencies: readonly Profile['latencyMs'][] = [
  [0.1, 2],
  [1, 20],
  [1, 100],
  [40, 200],
]

export function drawProfile(seed: number, random: SeededRandom): Profile {
  const hasRealSignatures = seed % 100 === 0
  const members = Math.round(random.logarithmic(4, hasRealSignatures ? 8 : 40))
  const isPartial = members >= 20 && random.chance(0.6)
  return {
    members,
    latencyMs: random.pick(latencies),
    loss: random.pick([0, 0.01, 0.05]),
    settings: {
      ...(random.chance(0.7) ? { starMembersMax: 0 } : {}),
      ...(isPartial ? { viewMembersMax: random.integer(8, 16) } : {}),
      ...(random.chance(0.1) ? { archiveBytes: 32 * 1024 } : {}),
    },
    activeMs: random.logarithmic(8_000, 30_000),
    faults: random.chance(0.08) ? 0 : Math.round(random.logarithmic(3, 20)),
    messages: Math.round(random.logarithmic(8, 60)),
    isHaunted: random.chance(0.4),
    lazy: members >= 6 && random.chance(0.3) ? random.integer(1, 2) : 0,
    hasRealSignatures,
  }
}
