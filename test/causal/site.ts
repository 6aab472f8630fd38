import { formatDot, keyFromWriter, writerFromKey } from '../../src/crdt/dot.ts'
import type { Dot, Writer } from '../../src/crdt/dot.ts'
import { GroupMachine } from '../../src/causal/group-machine.ts'
import type { Delivery } from '../../src/causal/group-machine.ts'
import { groupState, restoreState, rewoundState, stateOf } from '../../src/causal/group-state.ts'
import type { GroupState } from '../../src/causal/group-state.ts'
import { claimStatement } from '../../src/causal/members/roster-operation.ts'
import type { Claim, Role, RosterStatement } from '../../src/causal/members/roster-operation.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { simulatedIdentity, simulatedVerify } from '../../src/identity/simulated.ts'
import { bytes, decode, encode, struct } from '../../src/wire/schema.ts'

/** The feeds of a group, as if everything that was written were everywhere at once: a site reads as much of each as it likes. */
export class Library {
  readonly blocksByFeed: Map<Writer, Uint8Array[]> = new Map()
  /** How much of each feed had been delivered where an entry was written, by dot: all that it follows. */
  readonly pastByDot: Map<string, ReadonlyMap<Writer, number>> = new Map()
  group: Writer | undefined

  append(feed: Writer, block: Uint8Array): void {
    const blocks = this.blocksByFeed.get(feed)
    if (blocks === undefined) this.blocksByFeed.set(feed, [block])
    else blocks.push(block)
  }
}

const body = bytes({ max: 1_000 })
const nothing = struct({})

/** A member of a group, with its machine and what came out of it. */
export class Site {
  readonly library: Library
  readonly identity: Identity
  feed: Identity
  machine: GroupMachine
  /** Operations in the order in which they were delivered, by dot. */
  delivered: string[] = []
  passedOver: string[] = []
  /** What was seen that must not be. */
  readonly faults: string[] = []
  renewals = 0
  #isOverturned = false
  #feeds = 1

  constructor(library: Library, name: string) {
    this.library = library
    this.identity = simulatedIdentity(new TextEncoder().encode(name))
    this.feed = simulatedIdentity(new TextEncoder().encode(`${name} feed 1`))
    library.group ??= this.writer
    this.machine = this.#machine()
  }

  get writer(): Writer {
    return writerFromKey(this.feed.publicKey)
  }

  found(): void {
    this.machine.become(this.writer)
    const { node, since } = this.claim
    this.say({ kind: 'found', name: 'test', node, since, proof: this.proof(), addresses: [] })
  }

  /** The signature of the node over the feed in which it writes. */
  proof(signer: Identity = this.identity): Uint8Array {
    return signer.sign(claimStatement(keyFromWriter(this.library.group as Writer), this.claim))
  }

  get claim(): Claim {
    return { node: this.identity.publicKey, feed: this.feed.publicKey, since: this.#feeds }
  }

  admit(joiner: Site, invitation: Identity): void {
    this.say({
      ...{ kind: 'admit', ...joiner.claim, proof: joiner.proof() },
      ...{ invitation: invitation.publicKey, invitationProof: joiner.proof(invitation), at: 0, addresses: [] },
    })
  }

  invite(invitation: Identity, role: Role, uses = 0): void {
    this.say({ kind: 'invite', invitation: invitation.publicKey, role, notAfter: 0, uses })
  }

  /** Takes a new feed, which others have to be told of (`continue`). */
  forgetFeed(): void {
    this.#feeds += 1
    this.feed = simulatedIdentity(new TextEncoder().encode(`${this.identity.id} feed ${this.#feeds}`))
    this.renew()
  }

  continueFor(other: Site): void {
    this.say({ kind: 'continue', ...other.claim, proof: other.proof() })
  }

  /** Begins to write, once its own feed is one of the group. */
  begin(): boolean {
    const { machine, library, writer } = this
    if (machine.own !== undefined || machine.roster.memberOf(writer) === undefined) return false
    const blocks = library.blocksByFeed.get(writer) ?? []
    if ((machine.order.feed(writer)?.delivered ?? -1) < blocks.length) return false
    machine.become(writer)
    if (blocks.length === 0)
      this.say({ kind: 'begin', group: keyFromWriter(machine.group), node: this.identity.publicKey })
    return true
  }

  say(statement: RosterStatement): void {
    this.#write(() => this.machine.composeMembership(statement))
  }

  publish(payload: Uint8Array): Dot {
    this.#write(() => this.machine.compose('operation', { schema: () => body, value: payload }))
    const { writer, delivered } = this.machine.own as NonNullable<GroupMachine['own']>
    return { writer, number: delivered }
  }

  acknowledge(): void {
    this.#write(() => this.machine.compose('acknowledgement', { schema: () => nothing, value: {} }))
  }

  /** Reads so many further blocks of a feed, if it is one of the group here. */
  read(feed: Writer, count: number): void {
    const ordered = this.machine.order.feed(feed)
    if (ordered === undefined || feed === this.machine.own?.writer) return
    const blocks = (this.library.blocksByFeed.get(feed) ?? []).slice(ordered.received, ordered.received + count)
    for (const block of blocks) if (!this.machine.order.receive(ordered, block)) break
    if (this.#isOverturned) this.renew()
  }

  readAll(): void {
    for (let before = -1, now = 0; before !== now; now = this.#total) {
      before = this.#total
      for (const feed of this.library.blocksByFeed.keys()) this.read(feed, Infinity)
      this.begin()
    }
  }

  /** As after a crash: everything out of what was written down. */
  restart(): void {
    const state = decode(groupState, encode(groupState, stateOf(this.machine)))
    this.machine = this.#machine()
    restoreState(this.machine, state)
    this.begin()
  }

  /** Delivers all again, with what is known of the members. */
  renew(base?: GroupState): void {
    this.#isOverturned = false
    this.renewals += 1
    const state = rewoundState(stateOf(this.machine), base)
    this.machine = this.#machine()
    restoreState(this.machine, state)
    this.delivered = []
    this.passedOver = []
    for (const feed of this.machine.order.feeds) this.read(feed.writer, Infinity)
    if (!this.#isOverturned) this.begin()
  }

  #write(compose: () => Uint8Array): void {
    const past = new Map(this.machine.order.feeds.map(({ writer, delivered }) => [writer, delivered]))
    const { library, writer } = this
    const block = compose()
    library.append(writer, block)
    library.pastByDot.set(formatDot({ writer, number: library.blocksByFeed.get(writer)?.length ?? 0 }), past)
    if (this.#isOverturned) this.renew()
  }

  get #total(): number {
    return this.machine.order.delivered().reduce((sum, number) => sum + number, 0)
  }

  #machine(): GroupMachine {
    const machine: GroupMachine = new GroupMachine({
      group: this.library.group as Writer,
      verify: simulatedVerify,
      events: {
        entered: () => {},
        delivered: (delivery) => this.#take(delivery),
        passedOver: (dot) => void this.passedOver.push(formatDot(dot)),
        opened: () => {},
        membersChanged: () => {},
        overturned: () => void (this.#isOverturned = true),
        snapshotNamed: () => {},
      },
    })
    return machine
  }

  /** Holds what is delivered against what had been delivered where it was written. */
  #take({ dot, clockAt }: Delivery): void {
    const name = formatDot(dot)
    if (this.delivered.includes(name)) this.faults.push(`${name} twice`)
    this.delivered.push(name)
    // An own entry is in the library when it has been delivered here.
    const past = this.library.pastByDot.get(name)
    if (past === undefined) return
    for (const [writer, number] of past) {
      const here = this.machine.order.feed(writer)?.delivered ?? 0
      if (here < number) this.faults.push(`${name} before ${number}@${writer}`)
      if (writer !== dot.writer && clockAt(writer) !== number)
        this.faults.push(`${name} with ${clockAt(writer)} of ${writer} in its clock instead of ${number}`)
    }
    if (clockAt(dot.writer) !== dot.number) this.faults.push(`${name} with another number of its own in its clock`)
  }
}
