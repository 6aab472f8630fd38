/** What worlds of broadcast have to reach beside the marks of `src/broadcast`: each in some seed at least. */
export const broadcastWorldMarks = [
  'accused though it was there',
  'batch of its own told in two ways',
  'elsewhere signed and brought here',
  'garbage came before what it pretended to be',
  'ghost told of',
  'hostile bytes refused',
  'left',
  'partition healed',
  'paused',
  'published in an epoch that was over',
  'report with somebody unreached',
  'restarted with a larger epoch',
  'restarted with a smaller epoch',
  'stalled',
  'taken and not handed on',
  'view of a part of the members',
] as const

export type BroadcastWorldMark = (typeof broadcastWorldMarks)[number]
