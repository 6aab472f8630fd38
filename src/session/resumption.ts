import { fixed, decode, encode, struct, u64 } from '../wire/schema.ts'
import type { Infer, Schema } from '../wire/schema.ts'

/** What one end says of a session that it wants to go on with over a new link. */
export interface ResumeClaim {
  /** 16 bytes: which session. */
  readonly sessionId: Uint8Array
  /** How many numbered frames it has taken: the next one on the new link is the one behind them. */
  readonly receivedFrames: number
}

/** The body of RESUME; `epoch` is the sender's, `remoteEpoch` the one that the session was made with at the other end. */
export const resumeSchema: Schema<{
  readonly proof: Uint8Array
  readonly sessionId: Uint8Array
  readonly epoch: Uint8Array
  readonly remoteEpoch: Uint8Array
  readonly receivedFrames: number
}> = struct({
  proof: fixed(33),
  sessionId: fixed(16),
  epoch: fixed(16),
  remoteEpoch: fixed(16),
  receivedFrames: u64,
})

export function encodeResume(resume: Infer<typeof resumeSchema>): Uint8Array {
  return encode(resumeSchema, resume)
}

/** Throws `PROTOCOL`. */
export function decodeResume(bytes: Uint8Array, start: number, end: number): Infer<typeof resumeSchema> {
  return decode(resumeSchema, bytes, start, end)
}

/** What both ends have agreed on: a new session, or to go on with one. */
export type Agreement =
  | { readonly kind: 'new' }
  /** `said` is what this end has claimed, `heard` what the other one has. */
  | { readonly kind: 'resumed'; readonly said: ResumeClaim; readonly heard: ResumeClaim }
