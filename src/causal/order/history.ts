/** An operation by the place of its writer here, and its number. */
export interface Link {
  readonly writer: number
  readonly number: number
}

/** How many operations of each writer, by place; a place beyond the end is 0. */
export type Row = readonly number[]

/** The links of one writer's operations, of those that are not stable. */
interface Lane {
  /** The clock of its last operation. */
  readonly row: number[]
  /** What was before the first one kept. */
  base: number
  /** For each operation from `base` + 1 on, where its links end in the two lists. */
  ends: number[]
  writers: number[]
  numbers: number[]
}

/**
 * What each operation follows, and so the vector clock of the last one of each writer, which is written nowhere. An operation's clock is
 * its predecessor's and all that its links lead to; a link whose operation that clock has already leads to nothing more, since clocks are
 * closed under "follows". So each operation is gone over once for each writer, whatever the number of links.
 *
 * Operations below the stable cut are forgotten: whoever writes from now on has all of them in its clock.
 */
export class History {
  readonly #lanes: Lane[] = []
  #stable: Row = []

  get stable(): Row {
    return this.#stable
  }

  /** A further writer, at the next place, whose first operation follows `base`. */
  begin(base: Row): number {
    this.#lanes.push({ row: [...base], base: 0, ends: [], writers: [], numbers: [] })
    return this.#lanes.length - 1
  }

  /** The next operation of a writer. All of what it follows has been delivered here. */
  deliver(writer: number, links: readonly Link[]): void {
    const lane = this.#lane(writer)
    for (const link of links) {
      lane.writers.push(link.writer)
      lane.numbers.push(link.number)
      this.#cover(lane.row, link)
    }
    lane.ends.push(lane.writers.length)
    put(lane.row, writer, lane.base + lane.ends.length)
  }

  /** The clock of the last operation of a writer. It changes with the next one. */
  row(writer: number): Row {
    return this.#lane(writer).row
  }

  /** All up to `row` is in the clock of everybody who will still write. */
  forget(row: Row): void {
    this.#stable = raised(this.#stable, row)
    for (const [writer, lane] of this.#lanes.entries()) {
      const count = (this.#stable[writer] ?? 0) - lane.base
      // By halves, so that what is kept is moved seldom.
      if (count <= 0 || count * 2 < lane.ends.length) continue
      const dropped = Math.min(count, lane.ends.length)
      const links = lane.ends[dropped - 1] ?? 0
      lane.writers = lane.writers.slice(links)
      lane.numbers = lane.numbers.slice(links)
      lane.ends = lane.ends.slice(dropped).map((end) => end - links)
      lane.base += dropped
    }
  }

  /** How many operations are kept. */
  get size(): number {
    let size = 0
    for (const { ends } of this.#lanes) size += ends.length
    return size
  }

  /** All lanes, to be written down. */
  *lanes(): Generator<HistoryLane> {
    for (const { row, base, ends, writers, numbers } of this.#lanes) {
      const links = ends.map((end, index) => {
        const start = ends[index - 1] ?? 0
        return writers
          .slice(start, end)
          .map((writer, offset) => ({ writer, number: numbers[start + offset] as number }))
      })
      yield { row, base, links }
    }
  }

  /** What `lanes` gave, and the stable cut with it. */
  static restore(lanes: Iterable<HistoryLane>, stable: Row): History {
    const history = new History()
    history.#stable = stable
    for (const { row, base, links } of lanes) {
      const lane: Lane = { row: [...row], base, ends: [], writers: [], numbers: [] }
      for (const group of links) {
        for (const { writer, number } of group) {
          lane.writers.push(writer)
          lane.numbers.push(number)
        }
        lane.ends.push(lane.writers.length)
      }
      history.#lanes.push(lane)
    }
    return history
  }

  #cover(row: number[], link: Link): void {
    const pending: Link[] = [link]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { writer, number } = next
      let known = row[writer] ?? 0
      if (known >= number) continue
      const lane = this.#lane(writer)
      if (known < lane.base) {
        raise(row, this.#stable)
        known = Math.max(lane.base, row[writer] ?? 0)
      }
      put(row, writer, Math.max(known, number))
      for (let at = known - lane.base; at < number - lane.base; at += 1)
        for (let link = lane.ends[at - 1] ?? 0; link < (lane.ends[at] as number); link += 1)
          pending.push({ writer: lane.writers[link] as number, number: lane.numbers[link] as number })
    }
  }

  #lane(writer: number): Lane {
    return this.#lanes[writer] as Lane
  }
}

/** What is known of one writer: the clock of its last operation, how many are forgotten, and the links of those after them. */
export interface HistoryLane {
  readonly row: Row
  readonly base: number
  readonly links: readonly (readonly Link[])[]
}

/** The larger of both at each place, fresh. */
export function raised(left: Row, right: Row): number[] {
  const row = [...left]
  raise(row, right)
  return row
}

/** The smaller of both at each place, fresh. */
export function least(left: Row, right: Row): number[] {
  return left.map((number, at) => Math.min(number, right[at] ?? 0))
}

/** How many entries in all. */
export function total(row: Row): number {
  return row.reduce((sum, number) => sum + number, 0)
}

/** Whether the left one has all of the right one. */
export function covers(left: Row, right: Row): boolean {
  for (let at = 0; at < right.length; at += 1) if ((left[at] ?? 0) < (right[at] as number)) return false
  return true
}

function raise(row: number[], other: Row): void {
  for (let at = 0; at < other.length; at += 1)
    if ((row[at] ?? 0) < (other[at] as number)) put(row, at, other[at] as number)
}

/** Without holes, which would make it slow. */
function put(row: number[], at: number, value: number): void {
  while (row.length < at) row.push(0)
  row[at] = value
}
