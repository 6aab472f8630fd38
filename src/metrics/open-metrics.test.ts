import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Histogram } from '../message/histogram.ts'
import { MessageSection } from '../message/message-stats.ts'
import { createIdentity } from '../identity/identity.ts'
import type { NodeSnapshot, NodeStats, SessionSnapshot } from '../node/node-api.ts'
import { Exposition } from './exposition.ts'
import { openMetrics, type Measured } from './open-metrics.ts'

const session: SessionSnapshot = {
  remoteId: createIdentity().id,
  remoteAddress: '127.0.0.1:7001',
  state: 'ready',
  dialled: true,
  chair: true,
  roundTripMs: 1.5,
  accountBytes: 4_096,
  unacknowledgedBytes: 0,
  framesSent: 0,
  framesAcknowledged: 0,
  framesReceived: 0,
  resumes: 0,
  bytesSent: 0,
  bytesReceived: 0,
  features: [],
  circuits: [],
}

function measured(changes: Partial<NodeSnapshot> = {}, sections: NodeStats['sections'] = {}): Measured {
  const snapshot: NodeSnapshot = {
    id: session.remoteId,
    addresses: [],
    budget: { usedBytes: 4_096, limitBytes: 512 },
    peers: [],
    sessions: [],
    ...changes,
  }
  const stats: NodeStats = {
    sessions: { opened: 3, closed: 2, live: 1, refused: 4 },
    circuits: { opened: 9, closed: 5, live: 4, refused: 6 },
    fragments: { sent: 10, received: 11, errorsSent: 12, errorsReceived: 13 },
    bytes: { sent: 14, received: 15 },
    writes: 16,
    sections,
  }
  return { stats: () => stats, snapshot: () => snapshot }
}

it('writes counters, gauges, infos and histograms to the letter', () => {
  const text = new Exposition()
  text.info('plait_node', 'Which node.', { node: 'a"b\\c\nd' })
  text.counter('plait_posts', 'One \\ "two"\nthree.', 7)
  text.gauge('plait_sessions', 'By state.', [
    [{ state: 'ready' }, 1],
    [{ state: 'lost' }, 0],
  ])
  text.gauge('plait_nothing', 'No samples, no family.', [])
  text.gauge('plait_used_bytes', 'Used.', 2 ** 53)
  const latency = {
    count: 3,
    sumMs: 1_501.5,
    buckets: [0.0625, 1_000, Infinity].map((upToMs, at) => ({ upToMs, count: at + 1 })),
  }
  text.histogram('plait_wait_seconds', 'Waits.', latency)
  expect(text.end()).toBe(`# TYPE plait_node info
# HELP plait_node Which node.
plait_node_info{node="a\\"b\\\\c\\nd"} 1
# TYPE plait_posts counter
# HELP plait_posts One \\\\ \\"two\\"\\nthree.
plait_posts_total 7
# TYPE plait_sessions gauge
# HELP plait_sessions By state.
plait_sessions{state="ready"} 1
plait_sessions{state="lost"} 0
# TYPE plait_used_bytes gauge
# UNIT plait_used_bytes bytes
# HELP plait_used_bytes Used.
plait_used_bytes 9007199254740992
# TYPE plait_wait_seconds histogram
# UNIT plait_wait_seconds seconds
# HELP plait_wait_seconds Waits.
plait_wait_seconds_bucket{le="0.0000625"} 1
plait_wait_seconds_bucket{le="1.0"} 2
plait_wait_seconds_bucket{le="+Inf"} 3
plait_wait_seconds_count 3
plait_wait_seconds_sum 1.5015
# EOF
`)
})

it('shows what a node has counted, each message counter among it', () => {
  const messages = new MessageSection()
  const names = Object.keys(messages.counters) as (keyof typeof messages.counters)[]
  for (const [index, name] of names.entries()) messages.counters[name] = 100 + index
  messages.latency.record(3)
  const { samples } = parseExposition(openMetrics(measured({ sessions: [session] }, { messages: messages.read() })))
  const { remoteId: remote } = session
  expect(Object.fromEntries(samples)).toMatchObject({
    [`plait_node_info{node="${remote}"}`]: 1,
    'plait_sessions{state="ready"}': 1,
    'plait_sessions{state="lost"}': 0,
    plait_budget_used_bytes: 4_096,
    plait_budget_limit_bytes: 512,
    [`plait_session_account_bytes{remote="${remote}"}`]: 4_096,
    [`plait_session_round_trip_seconds{remote="${remote}"}`]: 0.0015,
    plait_sessions_opened_total: 3,
    plait_sessions_refused_total: 4,
    plait_circuits_live: 4,
    plait_fragments_received_total: 11,
    plait_sent_bytes_total: 14,
    plait_writes_total: 16,
    plait_messages_posts_sent_total: 100,
    plait_messages_streams_live: -1,
    'plait_messages_request_duration_seconds_bucket{le="0.002"}': 0,
    'plait_messages_request_duration_seconds_bucket{le="0.004"}': 1,
    plait_messages_request_duration_seconds_sum: 0.003,
  })
  const values = [...samples.values()]
  for (const [index, name] of names.entries()) expect(values, name).toContain(100 + index)
})

it('shows messages as zeros before there are any', () => {
  const { samples } = parseExposition(openMetrics(measured()))
  expect(samples.get('plait_messages_requests_sent_total')).toBe(0)
  expect(samples.get('plait_messages_request_duration_seconds_count')).toBe(0)
})

it('names each node once, also while an old session closes beside a new one', () => {
  const closing = { ...session, state: 'closing' as const, accountBytes: 1 }
  const greeting = { ...session, state: 'connecting' as const, roundTripMs: undefined }
  for (const sessions of [
    [closing, session, greeting],
    [session, closing, greeting],
  ]) {
    const { samples } = parseExposition(openMetrics(measured({ sessions })))
    expect(samples.get(`plait_session_account_bytes{remote="${session.remoteId}"}`)).toBe(4_096)
    expect(samples.get('plait_sessions{state="closing"}')).toBe(1)
  }
  // A link that has not led to a session holds nothing in the name of a node yet.
  const { samples } = parseExposition(openMetrics(measured({ sessions: [greeting] })))
  expect(samples.get(`plait_session_account_bytes{remote="${session.remoteId}"}`)).toBeUndefined()
})

it('keeps to the grammar whatever the labels, helps and durations are', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.array(fc.double({ min: 0, max: 1e9, noNaN: true })),
      (label, waits) => {
        const latency = new Histogram()
        for (const wait of waits) latency.record(wait)
        const text = new Exposition()
        text.gauge('plait_labelled', label, [[{ label }, waits.length]])
        text.histogram('plait_wait_seconds', 'Waits.', latency.read())
        const { families, samples } = parseExposition(text.end())
        expect(families.get('plait_labelled')).toEqual({ type: 'gauge', help: label })
        expect(samples.get('plait_wait_seconds_count')).toBe(waits.length)
      },
    ),
  )
})

it.each([
  ['no end', '# TYPE a gauge\na 1\n'],
  ['a sample without a family', 'a 1\n# EOF\n'],
  ['a counter without _total', '# TYPE a counter\na 1\n# EOF\n'],
  ['an unknown type', '# TYPE a number\na 1\n# EOF\n'],
  ['a unit that is not in the name', '# TYPE a gauge\n# UNIT a bytes\na 1\n# EOF\n'],
  ['an open quote', '# TYPE a gauge\na{b="c"d"} 1\n# EOF\n'],
  ['no number', '# TYPE a gauge\na one\n# EOF\n'],
  ['a sample twice', '# TYPE a gauge\na{b="c"} 1\na{b="c"} 1\n# EOF\n'],
  ['a family in two pieces', '# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# HELP a Late.\n# EOF\n'],
  ['buckets that fall', '# TYPE a histogram\na_bucket{le="1.0"} 2\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n# EOF\n'],
  ['a histogram without its last bucket', '# TYPE a histogram\na_bucket{le="1.0"} 1\na_count 1\na_sum 1\n# EOF\n'],
])('the reader of this test refuses %s', (_, text) => {
  expect(() => parseExposition(text)).toThrow()
})

interface Exposed {
  readonly families: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** By name and labels, as they stand there. */
  readonly samples: ReadonlyMap<string, number>
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_count', '_sum'],
  info: ['_info'],
}
const descriptor = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s
const escaped = String.raw`(?:[^"\\\n]|\\[\\"n])*`
const labelPair = `[a-zA-Z_][a-zA-Z0-9_]*="${escaped}"`
const sample = new RegExp(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{${labelPair}(?:,${labelPair})*\\})? (\\S+)$`)
const value = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/

/** Reads OpenMetrics 1.0 text and throws where it is none: what the specification says, as far as plait uses it. */
function parseExposition(text: string): Exposed {
  if (!text.endsWith('\n# EOF\n')) throw new Error('the end is missing')
  const families = new Map<string, Record<string, string>>()
  const samples = new Map<string, number>()
  let current = ''
  for (const line of text.slice(0, -'# EOF\n'.length - 1).split('\n')) {
    const [, key, name = '', rest = ''] = descriptor.exec(line) ?? []
    if (key === undefined) {
      const [, sampleName = '', labels = '', number = ''] = sample.exec(line) ?? []
      const type = families.get(current)?.['type'] ?? ''
      const suffix = sampleName.slice(current.length)
      if (!sampleName.startsWith(current) || !suffixes[type]?.includes(suffix)) throw new Error(`not a sample: ${line}`)
      if (!value.test(number)) throw new Error(`not a number: ${line}`)
      if (samples.has(sampleName + labels)) throw new Error(`twice: ${line}`)
      samples.set(sampleName + labels, Number(number.replace('Inf', 'Infinity')))
      continue
    }
    if (name !== current && families.has(name)) throw new Error(`family ${name} is not in one piece`)
    if (key === 'TYPE' && suffixes[rest] === undefined) throw new Error(`not a type: ${line}`)
    if (key === 'UNIT' && !name.endsWith(`_${rest}`)) throw new Error(`the unit is not in the name: ${line}`)
    current = name
    const family = families.get(name) ?? {}
    families.set(name, family)
    family[key.toLowerCase()] =
      key === 'HELP' ? rest.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c)) : rest
  }
  checkHistograms(families, samples)
  return { families, samples }
}

function checkHistograms(families: Exposed['families'], samples: Exposed['samples']): void {
  for (const [name, { type }] of families) {
    if (type !== 'histogram') continue
    const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket{`))
    const bounds = buckets.map(([key]) => Number(/le="(.*)"/.exec(key)?.[1]?.replace('Inf', 'Infinity')))
    for (const [index, [key, count]] of buckets.entries()) {
      if (index === 0) continue
      const before = buckets[index - 1]?.[1] ?? 0
      if (count < before || !((bounds[index] ?? 0) > (bounds[index - 1] ?? 0))) throw new Error(`out of order: ${key}`)
    }
    if (bounds.at(-1) !== Infinity || buckets.at(-1)?.[1] !== samples.get(`${name}_count`))
      throw new Error(`${name}: the last bucket is not all`)
  }
}

it('shows topics by network, and nothing of them where there are none', () => {
  const counts = { published: 1, delivered: 2, bodiesSent: 3, duplicates: 4, forged: 5, past: 6 }
  const main = { ...counts, members: 7, heldBytes: 8, tasks: 9 }
  const lines = openMetrics(measured({}, { topics: { main, other: { ...main, members: 2 } } })).split('\n')
  expect(lines.filter((line) => /^plait_topics_(members|published)/.test(line))).toEqual([
    'plait_topics_members{network="main"} 7',
    'plait_topics_members{network="other"} 2',
    'plait_topics_published_total{network="main"} 1',
    'plait_topics_published_total{network="other"} 1',
  ])
  expect(openMetrics(measured()).includes('plait_topics')).toBe(false)
})
