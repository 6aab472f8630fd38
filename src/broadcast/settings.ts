/** How a network of members behaves; all of them should agree, and none has to. Times in ms. */
export interface BroadcastSettings {
  /** Up to so many members a message goes from its author to each of them; beyond, over a tree. */
  readonly starMembersMax: number
  /** So many members are known at most; with more of them each knows a part. */
  readonly viewMembersMax: number
  /** Who has not said by then that it has taken a message is passed over. */
  readonly takeMs: number
  /** The same for who takes it for itself alone; whoever takes longer holds nobody up until it has caught up. */
  readonly quickMs: number
  /** Who has no room for a message waits so long for it at most. */
  readonly lagMs: number
  /** Bytes of messages of one author that wait for some member. */
  readonly waitingBytes: number
  /** Who has taken it says so again this often until its part is through. */
  readonly keepMs: number
  /** Who has said nothing for so long after that is passed over as well. */
  readonly silenceMs: number
  /** After so long nobody is waited for any more, whatever it says. */
  readonly dutyMs: number
  /** Ages of a message at which it is offered to some that may not have it. */
  readonly offersMs: readonly number[]
  /** How long and how many bytes of messages are kept for those that miss them. */
  readonly archiveMs: number
  readonly archiveBytes: number
  readonly pingPeriodMs: number
  readonly pingMs: number
  readonly suspicionMs: number
  readonly syncMs: number
  /** How often one of those who are believed dead is looked for. */
  readonly reviveMs: number
  /** How long it is remembered that somebody has gone. */
  readonly goneMs: number
}

export const defaultSettings: BroadcastSettings = {
  starMembersMax: 64,
  viewMembersMax: 256,
  takeMs: 400,
  quickMs: 2_000,
  lagMs: 10_000,
  waitingBytes: 16 * 1024 * 1024,
  keepMs: 500,
  silenceMs: 1_600,
  dutyMs: 30_000,
  offersMs: [300, 700, 1_500, 3_000, 6_000],
  archiveMs: 30_000,
  archiveBytes: 8 * 1024 * 1024,
  pingPeriodMs: 1_000,
  pingMs: 400,
  suspicionMs: 2_000,
  syncMs: 2_000,
  reviveMs: 10_000,
  goneMs: 600_000,
}
