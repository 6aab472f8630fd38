import type { BroadcasterCounts } from '../broadcast/broadcaster.ts'
import type { TopicStats } from '../broadcast/topic-stats.ts'
import { MessageSection, type MessageStats } from '../message/message-stats.ts'
import type { MessageCounters } from '../message/counters.ts'
import type { NodeSnapshot, NodeStats, PlaitNode, SessionSnapshot } from '../node/node-api.ts'
import { Exposition, type Labels } from './exposition.ts'

/** What is read of a node; nothing of it is changed. */
export type Measured = Pick<PlaitNode, 'stats' | 'snapshot'>

/** The counters and gauges of a node as OpenMetrics 1.0 text, for Prometheus and those who read the same. */
export function openMetrics(node: Measured): string {
  const stats = node.stats()
  const text = new Exposition()
  addNode(text, node.snapshot())
  addCounters(text, stats)
  addMessages(text, (stats.sections['messages'] as MessageStats | undefined) ?? new MessageSection().read())
  addTopics(text, (stats.sections['topics'] as Readonly<Record<string, TopicStats>> | undefined) ?? {})
  return text.end()
}

const states = [
  'connecting',
  'ready',
  'suspect',
  'lost',
  'closing',
  'closed',
] as const satisfies readonly SessionSnapshot['state'][]

function addNode(text: Exposition, { id, budget, peers, sessions }: NodeSnapshot): void {
  text.info('plait_node', 'Which node this is.', { node: id })
  text.gauge(
    'plait_sessions',
    'Sessions by state.',
    states.map((state) => [{ state }, sessions.filter((session) => session.state === state).length]),
  )
  text.gauge('plait_peers', 'Running instances of services, and other peers.', peers.length)
  text.gauge('plait_budget_used_bytes', 'Memory held for all sessions together.', budget.usedBytes)
  text.gauge('plait_budget_limit_bytes', 'Memory that may be held for all sessions together.', budget.limitBytes)
  const byRemote = [...latestByRemote(sessions)]
  text.gauge(
    'plait_session_account_bytes',
    'Memory held for the session.',
    byRemote.map(([remote, { accountBytes }]) => [{ remote }, accountBytes]),
  )
  text.gauge(
    'plait_session_round_trip_seconds',
    'Time to the other node and back, smoothed.',
    byRemote.flatMap(([remote, { roundTripMs }]): (readonly [Labels, number])[] =>
      roundTripMs === undefined ? [] : [[{ remote }, roundTripMs / 1_000]],
    ),
  )
}

/** One session for each node, so that no sample stands there twice: an old one may still be closing beside its successor. */
function latestByRemote(sessions: readonly SessionSnapshot[]): ReadonlyMap<string, SessionSnapshot> {
  const latest = new Map<string, SessionSnapshot>()
  for (const session of sessions) {
    if (session.state === 'connecting') continue
    if (session.state === 'ready' || !latest.has(session.remoteId)) latest.set(session.remoteId, session)
  }
  return latest
}

function addCounters(text: Exposition, { sessions, circuits, fragments, bytes, writes }: NodeStats): void {
  text.counter('plait_sessions_opened', 'Sessions that became ready.', sessions.opened)
  text.counter('plait_sessions_closed', 'Sessions that are over.', sessions.closed)
  text.counter('plait_sessions_refused', 'Connections that came in and were refused.', sessions.refused)
  text.gauge('plait_circuits_live', 'Circuits that are open.', circuits.live)
  text.counter('plait_circuits_opened', 'Circuits opened by either side.', circuits.opened)
  text.counter('plait_circuits_closed', 'Circuits that are over.', circuits.closed)
  text.counter('plait_circuits_refused', 'Circuits that were refused here.', circuits.refused)
  text.counter('plait_fragments_sent', 'Fragments sent on circuits.', fragments.sent)
  text.counter('plait_fragments_received', 'Fragments received on circuits.', fragments.received)
  text.counter('plait_fragment_errors_sent', 'Error fragments sent on circuits.', fragments.errorsSent)
  text.counter('plait_fragment_errors_received', 'Error fragments received on circuits.', fragments.errorsReceived)
  text.counter('plait_sent_bytes', 'Bytes given to links.', bytes.sent)
  text.counter('plait_received_bytes', 'Bytes that came from links.', bytes.received)
  text.counter('plait_writes', 'Writes to links.', writes)
}

function addMessages(text: Exposition, stats: MessageStats): void {
  for (const [counter, [name, help]] of Object.entries(messageCounters) as [keyof MessageCounters, NameAndHelp][])
    text.counter(`plait_messages_${name}`, help, stats[counter])
  text.gauge('plait_messages_streams_live', 'Streams that are open.', stats.streamsLive)
  text.histogram('plait_messages_request_duration_seconds', 'From a request to its answer.', stats.latency)
}

function addTopics(text: Exposition, statsByNetwork: Readonly<Record<string, TopicStats>>): void {
  const of = (value: (stats: TopicStats) => number): readonly (readonly [Labels, number])[] =>
    Object.entries(statsByNetwork).map(([network, stats]) => [{ network }, value(stats)])
  text.gauge(
    'plait_topics_members',
    'Members of the network, this one among them.',
    of(({ members }) => members),
  )
  text.gauge(
    'plait_topics_held_bytes',
    'Batches that are kept for others.',
    of(({ heldBytes }) => heldBytes),
  )
  text.gauge(
    'plait_topics_tasks',
    'Batches on their way to others.',
    of(({ tasks }) => tasks),
  )
  for (const [counter, [name, help]] of Object.entries(topicCounters) as [keyof BroadcasterCounts, NameAndHelp][])
    text.counter(
      `plait_topics_${name}`,
      help,
      of((stats) => stats[counter]),
    )
}

type NameAndHelp = readonly [name: string, help: string]

const messageCounters: Readonly<Record<keyof MessageCounters, NameAndHelp>> = {
  postsSent: ['posts_sent', 'Posts sent.'],
  postsReceived: ['posts_received', 'Posts received.'],
  requestsSent: ['requests_sent', 'Requests sent.'],
  requestsReceived: ['requests_received', 'Requests received.'],
  responsesSent: ['responses_sent', 'Answers sent.'],
  responsesReceived: ['responses_received', 'Answers received.'],
  errorsSent: ['errors_sent', 'Exchanges ended with an error from here.'],
  errorsReceived: ['errors_received', 'Exchanges ended with an error from the other side.'],
  streamsOpened: ['streams_opened', 'Streams opened by either side.'],
  streamsClosed: ['streams_closed', 'Streams that are over.'],
  itemsSent: ['items_sent', 'Messages of streams sent, after the first of each.'],
  itemsReceived: ['items_received', 'Messages of streams received, after the first of each.'],
  bytesSent: ['sent_bytes', 'Payloads sent, as they cross.'],
  bytesReceived: ['received_bytes', 'Payloads received, as they cross.'],
  flushes: ['flushes', 'Batches of messages handed to their circuit.'],
  heartbeatsSent: ['heartbeats_sent', 'Heartbeats sent.'],
  heartbeatsReceived: ['heartbeats_received', 'Heartbeats received.'],
  timeouts: ['timeouts', 'Deadlines that have passed, at either end.'],
  cancelled: ['cancelled', 'Exchanges that the other side gave up.'],
  late: ['late', 'Messages that came after their exchange was over.'],
  unhandled: ['unhandled', 'Messages that nobody handles.'],
  invalid: ['invalid', 'Messages that could not be read.'],
  refused: ['refused', 'Exchanges beyond the limit.'],
  dropped: [
    'dropped',
    'Messages of streams that nobody reads any more, and posts that waited when their circuit failed.',
  ],
}

const topicCounters: Readonly<Record<keyof BroadcasterCounts, NameAndHelp>> = {
  published: ['published', 'Messages published here.'],
  delivered: ['delivered', 'Messages of others that came here.'],
  bodiesSent: ['bodies_sent', 'Batches sent to other members, of any author.'],
  duplicates: ['duplicates', 'Batches that came again.'],
  forged: ['forged', 'Batches that their author has not signed.'],
  past: ['past', 'Batches of an epoch that is over.'],
}
