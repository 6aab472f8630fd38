import type { ErrorCode } from '../../src/base/error.ts'
import type { CloseReason } from '../../src/circuit/circuit-api.ts'
import type { SeededRandom } from '../../src/runtime/simulated/random.ts'
import type { Sizes } from './pattern.ts'

/** What one end of a circuit is going to do. */
export interface EndPlan {
  readonly fragments: number
  readonly sizes: Sizes
  /** So many are sent in one turn. */
  readonly burst: number
  /** Others may send between two fragments of one turn. */
  readonly alternates: boolean
  readonly gapMs: number
  /** Heeds the mark of the send buffer; else it sends until `BUFFER_FULL`. */
  readonly waits: boolean
  readonly copies: boolean
  readonly errors: number
  /** Sends back what comes instead of fragments of its own. */
  readonly echoes: boolean
  readonly ending: 'end' | 'close' | 'abort' | 'passive'
  readonly reason: CloseReason
  readonly reading: 'iterate' | 'read' | 'impatient' | 'receive'
  /** Waits so long after each `readBurst` fragments. */
  readonly readGapMs: number
  readonly readBurst: number
  /** Closes after so many fragments, in the midst of what comes. */
  readonly readsAtMost: number
  /** Falls asleep for longer than a close waits, after so many fragments. */
  readonly oversleepsAfter: number
}

export interface CircuitPlan {
  readonly service: ServiceName
  readonly opener: EndPlan
  readonly acceptor: EndPlan
  /** The first fragment travels with the request. */
  readonly first: boolean
  /** The opener starts an instance of its own. */
  readonly starts: boolean
  /** The opener changes its mind after so long. */
  readonly cancelAfterMs: number | undefined
  readonly version: number | undefined
  /** The acceptor opens one more back. */
  readonly opensBack: boolean
}

export type ServiceName =
  | 'echo'
  | 'sink'
  | 'source'
  | 'talk'
  | 'secret'
  | 'nothing'
  | 'shy'
  | 'single'
  | 'versioned'
  | 'failing'

/** The only right refusals of a service, when the other node is reached at all. Empty: it accepts. */
export const refusalsByService: Readonly<Record<ServiceName, readonly ErrorCode[]>> = {
  echo: [],
  sink: [],
  source: [],
  talk: [],
  secret: ['FORBIDDEN'],
  nothing: ['UNKNOWN_SERVICE'],
  shy: ['NOT_ACCEPTED'],
  single: ['BUSY'],
  versioned: ['VERSION_MISMATCH'],
  failing: ['SERVICE_FAILED', 'NOT_ACCEPTED', 'UNKNOWN_PEER'],
}

const services: readonly ServiceName[] = [
  ...Array.from({ length: 4 }, () => ['echo', 'sink', 'source', 'talk', 'talk'] as const).flat(),
  'secret',
  'nothing',
  'shy',
  'single',
  'versioned',
  'failing',
]

/** Longer than any end of a circuit waits for the other one. */
export const oversleepMs = 40_000

export function drawPlan(random: SeededRandom): CircuitPlan {
  return random.chance(0.001) ? drawOversleeper(random) : drawUsual(random)
}

function drawUsual(random: SeededRandom): CircuitPlan {
  const service = random.pick(services)
  const heavy = random.chance(0.04)
  return {
    service,
    opener: { ...drawEnd(random, heavy), ...(service === 'source' ? { fragments: 1 } : {}) },
    acceptor: drawAcceptor(random, service, heavy),
    first: random.chance(0.7),
    starts: service !== 'nothing' && random.chance(0.2),
    cancelAfterMs: random.chance(0.04) ? random.logarithmic(1, 2_000) : undefined,
    version: service === 'versioned' ? random.pick([2, 3]) : undefined,
    opensBack: random.chance(0.05),
  }
}

/** More is sent than any window holds, then closed; the reader sleeps meanwhile: the close gets no credit in time. */
function drawOversleeper(random: SeededRandom): CircuitPlan {
  const plan = drawUsual(random)
  const usual = { errors: 0, readGapMs: 0, readsAtMost: Number.POSITIVE_INFINITY }
  const fragments = random.integer(6, 20)
  return {
    ...plan,
    service: 'talk',
    opener: { ...plan.opener, ...usual, fragments, sizes: 'large', burst: 60, waits: false, ending: 'close' },
    acceptor: { ...plan.acceptor, ...usual, fragments: 0, ending: 'passive', reading: 'iterate', oversleepsAfter: 1 },
    version: undefined,
    opensBack: false,
  }
}

function drawAcceptor(random: SeededRandom, service: ServiceName, heavy: boolean): EndPlan {
  const plan = { ...drawEnd(random, heavy), ending: random.pick(['end', 'end', 'passive', 'close', 'abort'] as const) }
  // The callback door does not say when the other side has ended.
  const reading = plan.reading === 'receive' ? 'iterate' : plan.reading
  if (service === 'echo') return { ...plan, echoes: true, ending: 'end', reading }
  if (service === 'sink') return { ...plan, fragments: 0, ending: 'passive', reading }
  return plan.ending === 'passive' ? { ...plan, reading } : plan
}

function drawEnd(random: SeededRandom, heavy: boolean): EndPlan {
  const sizes = heavy ? random.pick(['bulk', 'large'] as const) : random.pick(['tiny', 'mixed', 'mixed'] as const)
  const count = Math.floor(random.logarithmic(1, heavy ? 30 : 760))
  return {
    fragments: count,
    sizes,
    burst: Math.ceil(random.logarithmic(2, 200)),
    alternates: random.chance(0.3),
    gapMs: random.chance(0.3) ? 0 : random.logarithmic(1, 400),
    waits: random.chance(0.7),
    copies: random.chance(0.2),
    errors: random.chance(0.1) ? random.pick([1, 3, 100]) : 0,
    echoes: false,
    ending: random.pick(['end', 'end', 'end', 'close', 'close', 'close', 'abort']),
    reason: random.chance(0.2)
      ? { code: 0, message: '' }
      : { code: random.integer(0, 65_535), message: random.pick(['done', 'disk full', 'auf Wiedersehen ü']) },
    reading: random.pick(['iterate', 'iterate', 'read', 'impatient', 'receive']),
    readGapMs: random.chance(0.75) ? 0 : random.logarithmic(1, 300),
    readBurst: Math.ceil(random.logarithmic(2, 200)),
    readsAtMost: random.chance(0.06) ? random.integer(0, 50) : Number.POSITIVE_INFINITY,
    oversleepsAfter: Number.POSITIVE_INFINITY,
  }
}
