import { PlaitError } from '../base/error.ts'
import { keyFromWriter } from '../crdt/dot.ts'
import type { Verify } from '../identity/signature.ts'
import type { ContinueRequest, JoinRequest } from './admission.ts'
import type { GroupId } from './group-api.ts'
import type { GroupEngine } from './group-engine.ts'
import { keyText } from './members/roster-entry.ts'
import { claimStatement } from './members/roster-operation.ts'

/** The fact of a refusal that names the feed with which nobody is let in any more. */
export const endedFeed = 'endedFeed'

export interface ReceptionOptions {
  readonly group: GroupId
  readonly engine: GroupEngine
  readonly verify: Verify
  readonly wallMs: () => number
}

/** Lets nodes into a group, on behalf of its members. */
export class Reception {
  readonly #options: ReceptionOptions

  constructor(options: ReceptionOptions) {
    this.#options = options
  }

  /**
   * Lets a node in that has come with an invitation; resolves when that is durable here. Throws `FORBIDDEN`, with why; with the fact
   * `endedFeed` where it is to come with another feed, since this one ended when the node was removed.
   */
  async admit(request: JoinRequest): Promise<void> {
    const { node, feed, since, proof, invitation, invitationProof, addresses } = request
    const { group, engine, verify, wallMs } = this.#options
    await engine.whenWriting(undefined)
    const { roster } = engine.machine
    const member = roster.memberOf(keyText(feed))
    if (member?.isRemoved === false) return
    const invited = roster.invitations.get(keyText(invitation))
    const at = Math.floor(wallMs())
    if (invited === undefined) throw forbidden('this link is of no invitation that is known here')
    if (invited.isRevoked) throw forbidden('this link was revoked; ask for another one')
    if (invited.uses > 0 && invited.used >= invited.uses)
      throw forbidden('this link was used as often as it may be; ask for another one')
    if (invited.notAfter > 0 && at > invited.notAfter)
      throw forbidden('this link is past its time; ask for another one')
    const claim = claimStatement(keyFromWriter(group), request)
    if (!verify(node, claim, proof) || !verify(invitation, claim, invitationProof))
      throw forbidden('the node has not signed for what it asks')
    if (member !== undefined)
      throw new PlaitError('FORBIDDEN', 'this feed ended when its member was removed; come with another one', {
        facts: { [endedFeed]: keyText(feed) },
      })
    const statement = { node, feed, since, proof, invitation, invitationProof, at, addresses }
    await engine.writeStatement({ kind: 'admit', ...statement }).durable
  }

  /** Lets a member write on in another feed. Throws `FORBIDDEN`, with why. */
  async continueFor({ node, feed, since, proof }: ContinueRequest): Promise<void> {
    const { group, engine, verify } = this.#options
    await engine.whenWriting(undefined)
    const { roster } = engine.machine
    const member = roster.members.get(keyText(node))
    if (member === undefined || member.isRemoved) throw forbidden('the node is no member of this group')
    if (roster.memberOf(keyText(feed)) !== undefined) return
    const claim = claimStatement(keyFromWriter(group), { node, feed, since })
    if (!verify(node, claim, proof)) throw forbidden('the node has not signed for the feed')
    await engine.writeStatement({ kind: 'continue', node, feed, since, proof }).durable
  }
}

function forbidden(message: string): PlaitError {
  return new PlaitError('FORBIDDEN', message)
}
