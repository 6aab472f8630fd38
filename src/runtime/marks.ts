/** Of the layer of messages, which has worlds of its own. */
export const messageMarks = [
  'cancel crossed its answer',
  'crash with exchanges open',
  'deadline reached',
  'exchange ended by a hostile message',
  'exchanges lost with their circuit',
  'hostile message refused',
  'late answer dropped',
  'requests waiting at their limit',
  'reset after the end',
  'resets crossed',
  'session lost with exchanges open',
  'stream closed by both',
  'stream credit restored',
  'stream ended by the end of its handler',
  'too many exchanges',
] as const

const otherMarks = [
  // session
  'header split over chunks',
  'body split over chunks',
  'credit at zero',
  'credit restored',
  'window grown',
  'window at its maximum',
  'suspect',
  'recovered',
  'link lost with data in flight',
  'both sides unacknowledged at the cut',
  'resumed with data to send again',
  'duplicate discarded after resume',
  'chair replaced the link under load',
  'BUDGET reset',
  // circuit
  'refused with data in flight',
  'closes crossed',
  'reset with data in flight',
  'data for a closed circuit',
  'large fragment split',
  'reservation waited',
  'large fragment came unreserved',
  'reassembly abandoned',
  'close lingering until its time-out',
  'send buffer at its mark',
  // node
  'dialled at once from both sides',
  'accept timed out',
  'resume cut during RESUME',
  'epoch changed with bytes in flight',
  'redialled by the other end',
] as const

/** Those of the store, which the enumeration of crash states has to reach, too. */
export const storeMarks = [
  'segment filled',
  'commits shared a sync',
  'cut back after a failed write',
  'torn tail cut',
  'rot found',
  'segment compacted',
  'segments joined',
] as const

/** Of feeds, which have worlds of their own. */
export const feedMarks = [
  'append refused to a writer that is behind',
  'blocks signed when their feed was opened',
  'checkpoint of feeds failed',
  'circuit for feeds gave way to the one of the chair',
  'circuit for feeds was one too many',
  'draft of a sealed feed removed',
  'fetched blocks not stored',
  'lost blocks found on a read',
  'nodes computed anew',
  'reset replayed',
  'synced blocks withdrawn',
  'truncation replayed',
] as const

/** Of members and of what they publish; worlds of their own reach all but the last two. */
export const broadcastMarks = [
  'batch asked for that was missed',
  'forged batch refused',
  'incarnation of an earlier life passed',
  'member suspected',
  'member with a false signature refused',
  'part of the ring handed to another head',
  'suspicion contradicted',
  'batch went no further',
  'circuit for topics was one too many',
] as const

type AllMarks = readonly [
  ...typeof otherMarks,
  ...typeof messageMarks,
  ...typeof storeMarks,
  ...typeof feedMarks,
  ...typeof broadcastMarks,
]

/**
 * Every label that code gives to `probe.sometimes`: the rare branches that a simulation has to reach. A label stands here exactly
 * once; the simulated probe refuses one that does not.
 */
export const marks: AllMarks = [...otherMarks, ...messageMarks, ...storeMarks, ...feedMarks, ...broadcastMarks]

export type Mark = (typeof marks)[number]
