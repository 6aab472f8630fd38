import { bytesEqual } from '../base/bytes.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { GreetingPhase, Word } from './greeting.ts'

/** What is to be known of a link in order to decide which session it belongs to. */
export interface Candidate {
  readonly remoteId: NodeId
  readonly phase: GreetingPhase
  /** This node has the last word. */
  readonly chair: boolean
  /** Which run of its program the other node is. */
  readonly epoch: Uint8Array
  readonly word: Word | undefined
}

/** The session that there is with the other node. */
export interface Present {
  readonly epoch: Uint8Array
  readonly sessionId: Uint8Array
  /** It has a link, as far as is known here. */
  readonly linked: boolean
}

export type Verdict =
  /** A new session. */
  | 'confirm'
  /** Go on with the present session over this link. */
  | 'resume'
  /** The other side's word decides. */
  | 'wait'
  /** Another link has been chosen. */
  | 'refuse'
  /** The other node was started anew: the session is dead, and another one begins. */
  | 'restarted'
  /** The other node knows nothing of the session, which has no link: it is dead, and another one begins. */
  | 'forgotten'
  /** The session has a link, and the other node knew nothing of it when it spoke: has it ended there, or have two dials crossed? */
  | 'challenge'

/**
 * What becomes of a link on which the other node has said hello. The chair's word is the choice: READY on one link at a time, the
 * first one on which both have greeted; RESUME where the other one has asked for the session that there is, so that the newer link
 * takes the place of the older one. So the other node says on every link what it has, and believes the chair; two sessions
 * never live side by side, and none is given up before the other is there.
 */
export function judge(candidate: Candidate, rivals: Iterable<Candidate>, present: Present | undefined): Verdict {
  const { chair, epoch, word } = candidate
  if (present !== undefined && !bytesEqual(present.epoch, epoch)) return 'restarted'
  if (!chair) return present === undefined ? 'confirm' : 'resume'
  for (const rival of rivals) if (isChosen(rival, candidate)) return 'refuse'
  if (present === undefined) return 'confirm'
  if (word === undefined) return 'wait'
  if (word !== 'none' && bytesEqual(word.sessionId, present.sessionId)) return 'resume'
  return present.linked ? 'challenge' : 'forgotten'
}

/** Links on which the chair has said READY to an earlier run of the other node; nothing can come of them. */
export function outlived<One extends Candidate>(candidate: Candidate, rivals: Iterable<One>): readonly One[] {
  return [...rivals].filter(
    (rival) =>
      rival.remoteId === candidate.remoteId && rival.phase === 'confirmed' && !bytesEqual(rival.epoch, candidate.epoch),
  )
}

function isChosen(rival: Candidate, candidate: Candidate): boolean {
  return (
    rival !== candidate &&
    rival.remoteId === candidate.remoteId &&
    rival.phase === 'confirmed' &&
    bytesEqual(rival.epoch, candidate.epoch)
  )
}
