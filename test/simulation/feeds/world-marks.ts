/** What worlds of feeds have to reach besides the rare branches of the code: each in some seed at least. */
export const feedWorldMarks = [
  'append refused after a failed sync',
  'append refused by a full disk',
  'bit flipped',
  'checkpoint damaged',
  'checkpoint missing',
  'checkpoint used',
  'disk put back',
  'fork proven',
  'lost block fetched again',
  'put back, and goes on when it has caught up',
  'sync failed',
  'truncated by its writer',
  'truncated elsewhere',
  'writer behind',
  'writer caught up',
] as const
