import type { NodeId } from '../../identity/node-id.ts'
import type { Member } from './member.ts'

/** What has changed, as long as it is worth telling: each is told about as often as it takes until all have heard of it. */
export class News {
  readonly #leftById = new Map<NodeId, { readonly member: Member; times: number }>()

  get size(): number {
    return this.#leftById.size
  }

  /** Takes the place of what was to be told of the same member. */
  add(member: Member, times: number): void {
    this.#leftById.delete(member.id)
    this.#leftById.set(member.id, { member, times })
  }

  /** The newest ones, each of which is told once more. */
  take(max: number): readonly Member[] {
    const taken = [...this.#leftById.values()].slice(-max)
    for (const one of taken) {
      one.times -= 1
      if (one.times <= 0) this.#leftById.delete(one.member.id)
    }
    return taken.map(({ member }) => member)
  }
}
