import { formatDot } from '../../../src/crdt/dot.ts'
import type { Dot, Writer } from '../../../src/crdt/dot.ts'
import type { ReplicationLevel } from '../../../src/causal/replication.ts'
import type { GroupSite } from './site.ts'

/** One operation as somebody outside of the world knows it. */
export interface Operation {
  readonly dot: Dot
  readonly name: string
  /** Everything that its writer had been given when it wrote this, by dot: all that happened before it. */
  past: ReadonlySet<string>
  /** Whether the publish has resolved, and what it has promised with that. */
  acknowledged: ReplicationLevel | undefined
  /** No handler can carry it out. */
  isPoison: boolean
  /** Its writer was put back to before it: where nobody else has it, its number is given again. */
  isForgotten: boolean
}

/** What has been published in a world, kept outside of it to hold everything against it. */
export class GroupLedger {
  readonly operations: Map<string, Operation> = new Map()
  readonly siteByWriter: Map<Writer, GroupSite> = new Map()
  /** Of which two versions were signed: a number of theirs may be two operations. */
  readonly forked: Set<Writer> = new Set()
  /** Of whom less counts than they have written: removed, parked, or told to read only. */
  readonly curbed: Set<GroupSite> = new Set()

  at(dot: Dot): Operation {
    const name = formatDot(dot)
    let operation = this.operations.get(name)
    if (operation === undefined) {
      operation = { dot, name, past: nothing, acknowledged: undefined, isPoison: false, isForgotten: false }
      this.operations.set(name, operation)
    }
    return operation
  }

  /** Somebody writes an operation. */
  write(site: GroupSite, dot: Dot, past: ReadonlySet<string>, isPoison: boolean): void {
    const known = this.operations.get(formatDot(dot))
    if (known !== undefined && known.past !== nothing && !site.isLossy)
      site.world.violation(`${site.name}: the number ${dot.number} is given again`)
    const name = formatDot(dot)
    this.operations.set(name, { dot, name, past, acknowledged: undefined, isPoison, isForgotten: false })
  }

  /** A feed is opened by its writer, and has so many entries: what was not durable has never been, and nobody else has seen it. */
  reopen(site: GroupSite, writer: Writer, length: number): void {
    for (const operation of this.operations.values()) {
      const { dot, name, acknowledged } = operation
      if (dot.writer !== writer || dot.number <= length) continue
      if (site.isLossy) operation.isForgotten = true
      else if (acknowledged === undefined) this.operations.delete(name)
      else
        site.world.violation(
          `${site.name}: operation ${dot.number} was acknowledged, and of its feed there are ${length} entries`,
        )
    }
  }
}

const nothing: ReadonlySet<string> = new Set()
