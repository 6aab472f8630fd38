import { sameDot } from '../../crdt/dot.ts'
import type { Dot } from '../../crdt/dot.ts'
import { withDot } from '../../crdt/dot-list.ts'
import { DotSet } from '../../crdt/dot-set.ts'
import { nextTime } from '../../crdt/mv-register.ts'
import type { KnownEntry } from '../folder/disk-entry.ts'
import { baseName, parentPath } from '../tree-path.ts'
import type { Version } from '../version.ts'
import { versionOf } from './changes.ts'
import type { Change, Changes } from './changes.ts'
import { isAside } from './item.ts'
import type { Agreed, Agreement, Claim, Files, FilesOperation } from './item.ts'
import { allAtOnce, endsStep } from './steps.ts'
import type { Steps } from './steps.ts'

/**
 * The operations for what has changed in the folder. Each that is yielded is written and applied to `files` before the generator is asked
 * for the next one, and its dot handed in; a group does both when it takes an operation. Returns what disk and tree agree on then.
 *
 * Operations are made from what was seen here, not from what the tree holds now: see `changesOf`. `next`: what `keptSteps` gives.
 */
export function* publication(
  changes: Changes,
  files: Files,
  next: Map<string, Agreed> = allAtOnce(keptSteps(changes)),
): Generator<FilesOperation, Agreement, Dot> {
  const publisher = new Publisher(files, next)
  for (const change of changes.list) yield* publisher.publish(change)
  return next
}

/** What is agreed on without any operation, by path, in steps: the generator's. */
export function* keptSteps({ kept }: Changes): Steps<Map<string, Agreed>> {
  const agreement = new Map<string, Agreed>()
  for (const agreed of kept) {
    agreement.set(agreed.path, agreed)
    if (endsStep(agreement.size)) yield
  }
  return agreement
}

/**
 * What stays agreed on where nothing may be said: `next` is what `keptSteps` gives. Of what was changed that is what it was. But users put
 * nothing aside, and take nothing away from there: that a process has done that ended before it could write it down.
 */
export function unpublished({ list }: Changes, next: Map<string, Agreed>): Agreement {
  for (const change of list) {
    if (change.kind === 'create') continue
    const { agreed } = change
    if (!next.has(agreed.path) && !isAside(agreed.path)) next.set(agreed.path, agreed)
  }
  return next
}

type Operations = Generator<FilesOperation, void, Dot>

class Publisher {
  readonly #files: Files
  readonly #next: Map<string, Agreed>

  constructor(files: Files, next: Map<string, Agreed>) {
    this.#files = files
    this.#next = next
  }

  *publish(change: Change): Operations {
    switch (change.kind) {
      case 'create':
        return yield* this.#create(change.found, baseName(change.found.path))
      case 'move':
        return yield* this.#move(change.agreed, change.found, change.name)
      case 'edit':
        return yield* this.#edit(change.agreed, change.found, change.version)
      case 'detach':
        yield* this.#create(change.found, baseName(change.found.path))
        return yield* this.#remove(change.agreed)
      case 'delete':
        return yield* this.#remove(change.agreed)
      case 'restate':
        return yield* this.#restate(change.agreed, change.claim)
    }
  }

  *#create(found: KnownEntry, name: string): Operations {
    const parent = this.#parentOf(found.path)
    if (parent === null) return
    // Not by `create`: the directory may have been removed meanwhile, and stays for what is put into it now.
    const { time } = this.#files.create(undefined, name) as { readonly time: number }
    const version = versionOf(found)
    const operation = { kind: 'write', value: version, time: 1, dots: [] } as const
    const id = yield { kind: 'make', parent, name, time, operation }
    const claims = [{ id, life: [], versions: [id] }]
    this.#next.set(found.path, { path: found.path, name, version, claims, isCopy: false, disk: found })
  }

  *#move(agreed: Agreed, found: KnownEntry, name: string): Operations {
    const parent = this.#parentOf(found.path)
    const current = this.#current(agreed, found)
    const claims: Claim[] = []
    for (const claim of current.claims) {
      if (parent === null || this.#isBelow(parent, claim.id)) {
        // Somebody has put the one into the other meanwhile: theirs counts, and is carried out here.
        claims.push(claim)
        continue
      }
      const { time } = this.#files.create(undefined, name) as { readonly time: number }
      const dot = yield { kind: 'move', id: claim.id, parent, name, time, dots: claim.life }
      // Somebody has deleted it before they heard of that: it stays.
      const isBare = claim.versions.length > 0 && this.#files.view.content(claim.id)?.isEmpty === true
      const versions = isBare ? [yield this.#write(claim.id, current.version, [])] : claim.versions
      claims.push({ ...claim, life: [dot], versions })
    }
    this.#next.set(found.path, { ...current, path: found.path, name, claims, disk: found })
  }

  *#edit(agreed: Agreed, found: KnownEntry, version: Version): Operations {
    // Perhaps it was moved just now.
    const current = this.#current(agreed, found)
    const [first, ...others] = current.claims as readonly [Claim, ...Claim[]]
    const dot = yield this.#write(first.id, version, first.versions)
    const claims: Claim[] = [{ ...first, versions: [dot] }]
    if (found.kind === 'directory') claims.push(...others)
    else for (const claim of others) yield* this.#removeClaim(claim)
    this.#next.set(found.path, { ...current, path: found.path, version, claims, disk: found })
  }

  *#remove(agreed: Agreed): Operations {
    for (const claim of agreed.claims) yield* this.#removeClaim(claim)
  }

  *#removeClaim({ id, life, versions }: Claim): Operations {
    const entry = this.#files.view.entry(id)
    if (entry === undefined) return
    const held = [...entry.life, ...entry.content.written.map(({ dot }) => dot)]
    const seen = [...life, ...versions].filter((dot) => held.some((other) => sameDot(dot, other)))
    if (seen.length > 0) yield { kind: 'remove', id, dots: new DotSet(seen) }
  }

  *#restate(agreed: Agreed, claim: Claim): Operations {
    const current = [...this.#next.values()].find(({ claims }) => claims.some(({ id }) => sameDot(id, claim.id)))
    if (current === undefined) return
    const dot = yield this.#write(claim.id, agreed.version, [])
    const claims = current.claims.map((one) =>
      sameDot(one.id, claim.id) ? { ...one, versions: withDot(one.versions, dot) } : one,
    )
    this.#next.set(current.path, { ...current, claims })
  }

  #write(id: Dot, value: Version, dots: Claim['versions']): FilesOperation {
    const written = this.#files.view.content(id)?.written ?? []
    return { kind: 'edit', id, operation: { kind: 'write', value, time: nextTime(written[0]?.time ?? 0), dots } }
  }

  #current(agreed: Agreed, found: KnownEntry): Agreed {
    const current = this.#next.get(found.path)
    return current !== undefined && current.claims[0]?.id === agreed.claims[0]?.id ? current : agreed
  }

  /** The entry that a path is in: undefined at the top, null where that is nothing in the tree. */
  #parentOf(path: string): Dot | undefined | null {
    const directory = parentPath(path)
    if (directory === '') return undefined
    return this.#next.get(directory)?.claims[0]?.id ?? null
  }

  #isBelow(parent: Dot | undefined, id: Dot): boolean {
    for (let at = parent; at !== undefined; at = this.#files.view.entry(at)?.parent) if (sameDot(at, id)) return true
    return false
  }
}
