/** What waits, by whom it is for: the groups have one after another their turn, however much there is in each. */
export class GroupQueue<Item> {
  /** Groups in the order of their turns; none is empty. */
  readonly #items = new Map<string, Set<Item>>()
  length = 0

  push(group: string, item: Item): void {
    let members = this.#items.get(group)
    if (members === undefined) this.#items.set(group, (members = new Set()))
    members.add(item)
    this.length += 1
  }

  /** The oldest one of the group whose turn it is. */
  shift(): Item | undefined {
    for (const [group, members] of this.#items) {
      for (const item of members) {
        this.remove(group, item)
        // The others of this group have the last turn now.
        if (this.#items.delete(group) && members.size > 0) this.#items.set(group, members)
        return item
      }
    }
    return undefined
  }

  /** Harmless when it is not there any more. */
  remove(group: string, item: Item): void {
    const members = this.#items.get(group)
    if (members?.delete(item) !== true) return
    this.length -= 1
    if (members.size === 0) this.#items.delete(group)
  }
}
