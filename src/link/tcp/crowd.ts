/** For how long somebody is counted at least. */
const windowMs = 500

/** How many different members there have been of late. */
export class Crowd<Member> {
  #present = new Set<Member>()
  #before = 0
  #since = 0

  add(member: Member, now: number): void {
    if (now - this.#since >= windowMs) {
      this.#before = this.#present.size
      this.#present = new Set()
      this.#since = now
    }
    this.#present.add(member)
  }

  get size(): number {
    return Math.max(this.#before, this.#present.size)
  }
}
