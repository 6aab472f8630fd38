import { defaultLimits } from '../../base/limits.ts'
import type { Writer } from '../../crdt/dot.ts'
import { keyFromWriter } from '../../crdt/dot.ts'
import type { NodeId } from '../../identity/node-id.ts'
import type { Invitation, Member } from './member.ts'
import { allows, claimStatement, rosterBounds } from './roster-operation.ts'
import type { Claim, FeedEnd, Role, RosterOperation } from './roster-operation.ts'
import type { RosterEntry, RosterTerms } from './roster-entry.ts'
import { keyText } from './roster-entry.ts'

type Changing<Type> = { -readonly [Name in keyof Type]: Type[Name] }
type Said<Kind extends RosterOperation['kind']> = Extract<RosterOperation, { readonly kind: Kind }>

interface CountedMember extends Changing<Omit<Member, 'feeds' | 'since' | 'changes'>> {
  readonly feeds: Writer[]
  readonly since: number[]
  readonly changes: RosterEntry[]
}

/** What was said of the members, counted through once, in order. */
export class Census {
  name = ''
  readonly members: Map<string, CountedMember> = new Map()
  readonly memberByFeed: Map<Writer, CountedMember> = new Map()
  readonly invitations: Map<string, Changing<Invitation>> = new Map()
  /** Up to where a feed counts, of those that end. */
  readonly #ends = new Map<Writer, number>()
  /** The highest number of each feed of which something was taken. */
  readonly #taken = new Map<Writer, number>()
  readonly #voided: Map<Writer, number>
  readonly #terms: RosterTerms

  /** `voided`: what is left out from the beginning. */
  constructor(terms: RosterTerms, voided: ReadonlyMap<Writer, number> = new Map()) {
    this.#terms = terms
    this.#voided = new Map(voided)
  }

  /** What is to be left out when all is counted again. */
  get voided(): ReadonlyMap<Writer, number> {
    return this.#voided
  }

  countsTo(feed: Writer): number {
    const end = Math.min(this.#ends.get(feed) ?? Infinity, this.#voided.get(feed) ?? Infinity)
    return this.memberByFeed.has(feed) ? end : 0
  }

  /** Takes the next entry. False when it voids something that was taken before: then all has to be counted again. */
  take(entry: RosterEntry): boolean {
    const { writer, number } = entry.dot
    const { operation } = entry
    if (operation.kind === 'found') this.#found(writer, number, operation)
    const author = this.memberByFeed.get(writer)
    if (author === undefined || number > this.countsTo(writer)) return true
    this.#taken.set(writer, Math.max(this.#taken.get(writer) ?? 0, number))
    const isAdmin = allows(author.role, 'admin')
    switch (operation.kind) {
      case 'admit':
        this.#admit(operation)
        return true
      case 'continue':
        this.#continue(operation)
        return true
      case 'addresses':
        author.addresses = operation.addresses
        return true
      case 'invite':
        if (isAdmin) this.#invite(operation, author.node)
        return true
      case 'revoke':
        if (isAdmin) this.#revoke(operation)
        return true
      case 'role':
        if (isAdmin) this.#change(entry, operation)
        return true
      case 'remove':
        return !isAdmin && keyText(operation.node) !== author.node ? true : this.#end(operation, true)
      case 'park':
        return isAdmin ? this.#end(operation, false) : true
      default:
        return true
    }
  }

  #found(writer: Writer, number: number, { name, node, since, proof, addresses }: Said<'found'>): void {
    const claim = { node, feed: keyFromWriter(writer), since }
    if (writer !== this.#terms.group || number !== 1 || !this.#isSigned(claim, node, proof)) return
    this.name = name
    this.#join(claim, 'admin', addresses, undefined)
  }

  #admit({ node, feed, since, proof, invitation, invitationProof, at, addresses }: Said<'admit'>): void {
    const invited = this.invitations.get(keyText(invitation))
    if (invited === undefined || invited.isRevoked) return
    if (invited.uses > 0 && invited.used >= invited.uses) return
    if (invited.notAfter > 0 && at > invited.notAfter) return
    const claim = { node, feed, since }
    if (this.memberByFeed.has(keyText(feed)) || !this.#isSigned(claim, node, proof)) return
    if (!this.#isSigned(claim, invitation, invitationProof)) return
    invited.used += 1
    this.#join(claim, invited.role, addresses, invited.key)
  }

  #join(claim: Claim, role: Role, addresses: readonly string[], invitation: string | undefined): void {
    const node = keyText(claim.node) as NodeId
    let member = this.members.get(node)
    if (member === undefined || member.isRemoved) {
      if (this.#size >= defaultLimits.groupMembers) return
      const since = member?.since ?? []
      member = {
        ...{ node, role, firstRole: role, changes: [], feeds: [...(member?.feeds ?? [])], since: [...since] },
        ...{ isParked: false, isRemoved: false, addresses, invitation },
      }
      this.members.set(node, member)
    }
    // Who is a member already and comes again has lost its store: the same one, in another feed.
    member.addresses = addresses
    this.#further(member, claim)
  }

  get #size(): number {
    let size = 0
    for (const { isRemoved } of this.members.values()) if (!isRemoved) size += 1
    return size
  }

  #continue({ node, feed, since, proof }: Said<'continue'>): void {
    const claim = { node, feed, since }
    const member = this.members.get(keyText(node))
    if (member === undefined || member.isRemoved || this.memberByFeed.has(keyText(feed))) return
    if (this.#isSigned(claim, node, proof)) this.#further(member, claim)
  }

  #further(member: CountedMember, { feed, since }: Claim): void {
    let at = member.feeds.length
    while (at > 0 && (member.since[at - 1] as number) > since) at -= 1
    if (member.feeds.length >= rosterBounds.feeds) return
    member.feeds.splice(at, 0, keyText(feed))
    member.since.splice(at, 0, since)
    member.isParked = false
    this.memberByFeed.set(keyText(feed), member)
  }

  #invite({ invitation, role, notAfter, uses }: Said<'invite'>, by: NodeId): void {
    const key = keyText(invitation)
    if (this.invitations.has(key)) return
    this.invitations.set(key, { key, role, notAfter, uses, used: 0, isRevoked: false, by })
  }

  #revoke({ invitation }: Said<'revoke'>): void {
    const invited = this.invitations.get(keyText(invitation))
    if (invited !== undefined) invited.isRevoked = true
  }

  #change(entry: RosterEntry, { node, role }: Said<'role'>): void {
    const member = this.members.get(keyText(node))
    if (member === undefined || member.isRemoved || member.role === role) return
    member.role = role
    member.changes.push(entry)
  }

  #end({ node, ends }: Said<'remove' | 'park'>, isRemoval: boolean): boolean {
    const member = this.members.get(keyText(node))
    if (member === undefined || (!isRemoval && (member.isRemoved || member.isParked))) return true
    member.isParked = !isRemoval
    member.isRemoved = isRemoval
    let isDone = true
    for (const feed of member.feeds) {
      // Of two removals the one that counts less.
      const end = Math.min(this.countsTo(feed), lengthIn(ends, feed))
      this.#ends.set(feed, end)
      if ((this.#taken.get(feed) ?? 0) <= end) continue
      this.#voided.set(feed, end)
      isDone = false
    }
    return isDone
  }

  #isSigned(claim: Claim, key: Uint8Array, signature: Uint8Array): boolean {
    const { group, verify } = this.#terms
    return verify(key, claimStatement(keyFromWriter(group), claim), signature)
  }
}

/** How much of a feed is said to have been delivered. */
export function lengthIn(ends: readonly FeedEnd[], feed: Writer): number {
  return ends.find((end) => keyText(end.feed) === feed)?.length ?? 0
}
