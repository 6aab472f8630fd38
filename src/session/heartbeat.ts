import type { Limits } from '../base/limits.ts'

/** At first some PINGs follow soon after one another: how far the window should grow depends on a good round trip. */
const probes = 4
const probeMs = 60
/** For how long the smallest round trip counts at least, and half of the longest that it may. */
const epochMs = 30_000

/** An answer that takes more beats than this is not waited for. */
const pendingMax = 32

interface Ping {
  readonly token: number
  readonly sentAt: number
}

export type Health = 'well' | 'suspect' | 'lost'

/**
 * Measures round trips and notices silence, in ms. A heartbeat is missed when nothing at all was heard between a PING and the
 * next one; a pause of our own process is not the other's silence. Where nothing else is said the chair
 * asks and the guest answers: who was asked knows as much.
 */
export class Heartbeat {
  /** Smoothed as in RFC 6298. */
  roundTripMs: number | undefined
  health: Health = 'well'
  readonly #limits: Limits
  readonly #mayRest: boolean
  #intervalMs: number
  #tickedAt: number
  #nextPingAt: number
  #missed = 0
  #heard = true
  /** The other side has asked since the last beat. */
  #wasAsked = false
  /** How many frames had come and gone at the last beat. */
  #movedFrames = 0
  #probes = probes
  #pingToken = 0
  /** PINGs on their way, the oldest first: where a round trip takes longer than a beat there are several. */
  #pending: Ping[] = []
  #epochAt = -Infinity
  #epochSmallestMs = Infinity
  #formerSmallestMs = Infinity

  /** `mayRest`: need not ask when it was asked. If both did so at the same time there would be a silence. */
  constructor(limits: Limits, now: number, { mayRest }: { readonly mayRest: boolean }) {
    this.#limits = limits
    this.#mayRest = mayRest
    this.#intervalMs = limits.idleHeartbeatMs
    this.#tickedAt = now
    this.#nextPingAt = now
  }

  get deadline(): number {
    return this.#nextPingAt
  }

  /** The smallest seen of late: one that was measured under load contains the queues that it would let grow. */
  get smallestRoundTripMs(): number | undefined {
    const smallest = Math.min(this.#epochSmallestMs, this.#formerSmallestMs)
    return smallest === Infinity ? undefined : smallest
  }

  /** Something arrived. True when this ends a suspicion. */
  heard(): boolean {
    this.#heard = true
    this.#missed = 0
    if (this.health === 'well') return false
    this.health = 'well'
    return true
  }

  /** A PING arrived. */
  asked(): void {
    this.#wasAsked = true
  }

  /** Circuits are open, or no longer: beats faster, or slower. */
  pace(busy: boolean, now: number): void {
    const intervalMs = busy ? this.#limits.heartbeatMs : this.#limits.idleHeartbeatMs
    if (intervalMs === this.#intervalMs) return
    this.#intervalMs = intervalMs
    this.#missed = 0
    this.#heard = true
    this.#tickedAt = now
    this.#nextPingAt = busy ? Math.min(this.#nextPingAt, now + intervalMs) : now + intervalMs
  }

  /** The next PING is due now. */
  hurry(now: number): void {
    this.#probes = 0
    this.#nextPingAt = Math.min(this.#nextPingAt, now)
  }

  /** Time has passed; returns the token of a PING to send, or undefined. `movedFrames` have come and gone over the session. */
  tick(now: number, movedFrames: number): number | undefined {
    if (now < this.#nextPingAt) return undefined
    if (this.#probes > 0) return this.#probe(now)
    // Who has something to send needs to know what a round trip takes.
    const canRest = this.#mayRest && this.#wasAsked && movedFrames === this.#movedFrames && this.health === 'well'
    this.#wasAsked = false
    this.#movedFrames = movedFrames
    const paused = now - this.#tickedAt > 2 * this.#intervalMs
    this.#tickedAt = now
    if (!this.#heard && !paused) this.#missed += 1
    this.#heard = false
    if (this.#missed >= this.#limits.lostBeats) this.health = 'lost'
    else if (this.#missed >= this.#limits.suspectBeats) this.health = 'suspect'
    this.#nextPingAt = now + this.#intervalMs
    return canRest ? undefined : this.#ping(now)
  }

  /** The answer to a PING. False when nobody asked. */
  pong(token: number, now: number): boolean {
    const index = this.#pending.findIndex((ping) => ping.token === token)
    const ping = this.#pending[index]
    if (ping === undefined) return false
    // Whoever had no room to answer answers the last one only.
    this.#pending.splice(0, index + 1)
    this.#sample(now - ping.sentAt, now)
    return true
  }

  /** The next of the first PINGs. Where an answer takes longer than that, the heartbeat begins with the one that is on its way. */
  #probe(now: number): number | undefined {
    const ping = this.#pending[0]
    if (ping !== undefined) {
      this.#probes = 0
      this.#nextPingAt = ping.sentAt + this.#intervalMs
      return undefined
    }
    this.#probes -= 1
    this.#tickedAt = now
    this.#heard = false
    this.#nextPingAt = now + (this.#probes > 0 ? probeMs : this.#intervalMs)
    return this.#ping(now)
  }

  #ping(now: number): number {
    this.#pingToken = (this.#pingToken + 1) >>> 0
    this.#pending.push({ token: this.#pingToken, sentAt: now })
    if (this.#pending.length > pendingMax) this.#pending.shift()
    return this.#pingToken
  }

  #sample(roundTripMs: number, now: number): void {
    const smoothed = this.roundTripMs
    this.roundTripMs = smoothed === undefined ? roundTripMs : smoothed * 0.875 + roundTripMs * 0.125
    if (now - this.#epochAt >= epochMs) {
      this.#epochAt = now
      this.#formerSmallestMs = this.#epochSmallestMs
      this.#epochSmallestMs = Infinity
    }
    this.#epochSmallestMs = Math.min(this.#epochSmallestMs, roundTripMs)
  }
}
