import { includesDot, withDot } from '../../crdt/dot-list.ts'
import type { DotList } from '../../crdt/dot-list.ts'
import type { DotMap } from '../../crdt/dot-map.ts'
import type { Dot, Writer } from '../../crdt/dot.ts'
import type { Agreed, Claim, Files } from './item.ts'

/**
 * What was written here by a process that ended before it could write down that this is agreed on. What the folder has now came later, so
 * it takes the place of that: otherwise it would be concurrent to it, and a file that is deleted would come again.
 */
export class Forgotten {
  readonly #view: Files['view']
  readonly #writer: Writer

  constructor(view: Files['view'], writer: Writer) {
    this.#view = view
    this.#writer = writer
  }

  /** Whether there is anything of something that was agreed on. */
  has({ claims }: Agreed): boolean {
    return claims.some(({ id, life, versions }) => {
      const entry = this.#view.entry(id)
      if (entry === undefined) return false
      return this.#lacks(life, entry.life) || entry.content.written.some(({ dot }) => this.#lacks(versions, [dot]))
    })
  }

  /** With versions for an edit to take the place of. `agreed`: all that were agreed on, anywhere. */
  withVersions(agreed: Agreed, known: DotMap<true> | undefined): Agreed {
    const [claim, ...others] = agreed.claims as readonly [Claim, ...Claim[]]
    if (agreed.isCopy) return agreed
    const versions = this.#withVersions(claim, known)
    return versions === claim.versions ? agreed : { ...agreed, claims: [{ ...claim, versions }, ...others] }
  }

  /** With versions and places: all that is to go when it is deleted. */
  withAll(agreed: Agreed, known: DotMap<true>): Agreed {
    if (agreed.isCopy || !this.has(agreed)) return agreed
    const claims = agreed.claims.map((claim) => ({
      ...claim,
      life: this.#with(claim.life, this.#view.entry(claim.id)?.life ?? []),
      versions: this.#withVersions(claim, known),
    }))
    return { ...agreed, claims }
  }

  /** Nearly always they are the same. */
  #withVersions({ id, versions }: Claim, known: DotMap<true> | undefined): DotList {
    let all = versions
    for (const { dot } of this.#view.content(id)?.written ?? [])
      if (this.#isOwn(dot) && known?.has(dot) !== true) all = withDot(all, dot)
    return all
  }

  #with(known: DotList, now: readonly Dot[]): DotList {
    return now.reduce((dots, dot) => (this.#isOwn(dot) ? withDot(dots, dot) : dots), known)
  }

  #lacks(known: DotList, now: readonly Dot[]): boolean {
    return now.some((dot) => this.#isOwn(dot) && !includesDot(known, dot))
  }

  #isOwn({ writer }: Dot): boolean {
    return writer === this.#writer
  }
}
