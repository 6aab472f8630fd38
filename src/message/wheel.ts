/** What stands on a wheel. */
export interface WheelEntry {
  /** When it is due, in ms of the clock; `Infinity` when it stands on no wheel. Written by the wheel only. */
  dueAt: number
}

/**
 * Deadlines by the thousand: to set and to clear one costs a set operation, and all share one timer (Varghese and Lauck 1987, "Hashed
 * and hierarchical timing wheels"). Deadlines are kept in slots of `slotMs`, and are up to that late, never early.
 */
export class Wheel<Entry extends WheelEntry> {
  readonly #slotMs: number
  readonly #entriesBySlot: Map<number, Set<Entry>> = new Map()
  #nextSlot = Infinity

  constructor(slotMs: number) {
    this.#slotMs = slotMs
  }

  /** When `tick` is wanted next. May be too early, after deadlines were cleared; never too late. */
  get deadline(): number {
    return this.#nextSlot * this.#slotMs
  }

  /** Entries that stand on the wheel. */
  get size(): number {
    let size = 0
    for (const entries of this.#entriesBySlot.values()) size += entries.size
    return size
  }

  set(entry: Entry, dueAt: number): void {
    this.clear(entry)
    entry.dueAt = dueAt
    const slot = this.#slotOf(dueAt)
    const entries = this.#entriesBySlot.get(slot)
    if (entries === undefined) this.#entriesBySlot.set(slot, new Set([entry]))
    else entries.add(entry)
    if (slot < this.#nextSlot) this.#nextSlot = slot
  }

  /** Harmless when it does not stand here. */
  clear(entry: Entry): void {
    if (entry.dueAt === Infinity) return
    const slot = this.#slotOf(entry.dueAt)
    entry.dueAt = Infinity
    const entries = this.#entriesBySlot.get(slot)
    entries?.delete(entry)
    if (entries?.size === 0) this.#entriesBySlot.delete(slot)
  }

  /** Takes all off that are due, in the order of their slots. */
  tick(now: number): readonly Entry[] {
    if (now < this.deadline) return []
    const due: Entry[] = []
    const slots: number[] = []
    this.#nextSlot = Infinity
    for (const slot of this.#entriesBySlot.keys()) {
      if (slot * this.#slotMs <= now) slots.push(slot)
      else if (slot < this.#nextSlot) this.#nextSlot = slot
    }
    for (const slot of slots.sort((left, right) => left - right)) {
      for (const entry of this.#entriesBySlot.get(slot) ?? []) {
        entry.dueAt = Infinity
        due.push(entry)
      }
      this.#entriesBySlot.delete(slot)
    }
    return due
  }

  #slotOf(dueAt: number): number {
    return Math.ceil(dueAt / this.#slotMs)
  }
}
