import { PlaitError, type ErrorCode } from '../base/error.ts'
import type { CloseReason } from '../circuit/circuit-api.ts'

/** The service that a sharing node registers, and the version of what is spoken on its circuits. */
export const driveService = 'd'
export const driveVersion = 1

/**
 * Fragments of the drive's circuits. Every circuit begins with `list` or `fetch` (part: `driveVersion`; payload: proof
 * of the secret). On a listing circuit the sharer answers `page`s and `listed`. On a content circuit the receiver
 * sends `want`s, and each want is answered once, in any order: by an item of a `pack`, or by a stream `head`,
 * `data`..., `tail` (payload: SHA-256 of the content), in which `again` means that the file has changed, that all data
 * so far is void, and that a new `head` or a problem in a pack follows. No more than `windowFragments` data fragments are on
 * their way: `more` (part: how many of this circuit's the receiver has done with) makes room for others.
 */
export const ops = {
  list: 1,
  fetch: 2,
  page: 3,
  listed: 4,
  want: 5,
  pack: 6,
  head: 7,
  data: 8,
  tail: 9,
  again: 10,
  more: 11,
} as const

/** Payload of a `data` fragment, the last of a stream aside: one read from the disk, which lands in one buffer at the other end. */
export const dataBytes: number = 512 * 1024

/** Data fragments of one circuit on their way, and so in memory at either end: 8 MiB, enough for 1 Gbit/s over 60 ms. */
export const windowFragments = 16

/** Numbers of the reasons with which a sharer closes a circuit. */
export const closeCodes = { done: 0, forbidden: 4_096, malformed: 4_097, failed: 4_098 } as const

/** The error that stands for the end of a circuit that should have gone on. */
export function circuitEnded(reason: CloseReason): PlaitError {
  const [code, message] = endings.get(reason.code) ?? [
    'REMOTE',
    'the sharing side stopped before all was here; run the same command again to go on',
  ]
  const facts = { closeCode: reason.code, closeMessage: reason.message.slice(0, 200) }
  return new PlaitError(code, message, { facts })
}

const endings: ReadonlyMap<number, readonly [ErrorCode, string]> = new Map([
  [
    closeCodes.forbidden,
    [
      'FORBIDDEN',
      'the sharing side does not accept the secret of this link; ask for the link that `plait share` prints there now',
    ],
  ],
  [
    closeCodes.failed,
    ['FILE_FAILED', 'the sharing side could not read its folder; see what it says, then run the same command again'],
  ],
  [
    closeCodes.malformed,
    ['PROTOCOL', 'the sharing side did not understand this one; bring both to the same version of plait'],
  ],
])
