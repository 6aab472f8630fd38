import { encodeBase32 } from '../../base/bytes.ts'
import type { Dot, Writer } from '../../crdt/dot.ts'
import type { Verify } from '../../identity/signature.ts'
import type { Row } from '../order/history.ts'
import type { RosterOperation } from './roster-operation.ts'

/** Something that was said of the members, and what it follows. */
export interface RosterEntry {
  readonly dot: Dot
  /** The place of the dot's writer. */
  readonly place: number
  readonly operation: RosterOperation
  /** The clock of the entry, itself included. */
  readonly row: Row
}

/** What a roster is counted with. */
export interface RosterTerms {
  /** The founder's feed. */
  readonly group: Writer
  readonly verify: Verify
}

/** How nodes, feeds and invitations are named: by their keys in base32. */
export function keyText(key: Uint8Array): string {
  return encodeBase32(key)
}
