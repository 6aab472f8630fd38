import { includesDot } from '../../crdt/dot-list.ts'
import type { DotList } from '../../crdt/dot-list.ts'
import { DotMap } from '../../crdt/dot-map.ts'
import { entryDots, versionDots } from './item.ts'
import type { Agreed, Agreement, Item } from './item.ts'
import type { Layout } from './layout.ts'
import type { Disk } from './match.ts'
import { endsStep } from './steps.ts'
import type { Steps } from './steps.ts'

/** Which item is which of what was agreed on. What is where it was is not written down, only looked at again. */
export class Pairing {
  /** What is no item; the caller's. */
  readonly unpaired: Set<Agreed> = new Set()
  readonly #agreement: Agreement
  readonly #agreedByItem = new Map<Item, Agreed>()

  constructor(agreement: Agreement) {
    this.#agreement = agreement
  }

  agreedOf(item: Item): Agreed | undefined {
    return this.inPlace(item) ?? this.#agreedByItem.get(item)
  }

  /** What was agreed on at the path of an item, if that is what the item shows. */
  inPlace(item: Item): Agreed | undefined {
    const agreed = this.#agreement.get(item.path)
    return agreed !== undefined && isShown(agreed, item) ? agreed : undefined
  }

  add(item: Item, agreed: Agreed): void {
    this.#agreedByItem.set(item, agreed)
    this.unpaired.delete(agreed)
  }
}

/**
 * Pairs them by the version that they show, so that one which loses its name to another is not fetched again; then by the entry.
 * Directories and files are never one another. What has gone to where nothing is looked at is paired with nothing.
 */
export function* pairItems(agreement: Agreement, layout: Layout, disk: Pick<Disk, 'isLeftOut'>): Steps<Pairing> {
  const pairing = new Pairing(agreement)
  const { unpaired } = pairing
  const items: Item[] = []
  let inPlace = 0
  let count = 0
  // Nearly all are where they were, and no two show the same version.
  for (const item of layout.items.values()) {
    if (pairing.inPlace(item) !== undefined) inPlace += 1
    else if (!disk.isLeftOut(item.path)) items.push(item)
    count += 1
    if (endsStep(count)) yield
  }
  if (inPlace === agreement.size) return pairing
  for (const agreed of agreement.values()) {
    const item = layout.items.get(agreed.path)
    if (item === undefined || !isShown(agreed, item)) unpaired.add(agreed)
    count += 1
    if (endsStep(count)) yield
  }
  for (const dotsIn of [versionDots, entryDots]) {
    const agreedByDot = new DotMap<Agreed>()
    for (const agreed of unpaired) {
      for (const dot of dotsIn(agreed)) agreedByDot.set(dot, agreed)
      count += 1
      if (endsStep(count)) yield
    }
    for (const item of agreedByDot.isEmpty ? [] : items) {
      const agreed = pairing.agreedOf(item) === undefined ? pairFor(item, agreedByDot, dotsIn, unpaired) : undefined
      if (agreed !== undefined) pairing.add(item, agreed)
      count += 1
      if (endsStep(count)) yield
    }
  }
  return pairing
}

function pairFor(
  item: Item,
  agreedByDot: DotMap<Agreed>,
  dotsIn: typeof versionDots,
  unpaired: ReadonlySet<Agreed>,
): Agreed | undefined {
  for (const dot of dotsIn(item)) {
    const agreed = agreedByDot.at(dot)
    if (agreed !== undefined && unpaired.has(agreed) && agreed.disk.kind === item.version.kind) return agreed
  }
  return undefined
}

/** Whether it is the version that the item shows first, or one of the directories that the item is. */
function isShown(agreed: Agreed, item: Item): boolean {
  if (agreed.disk.kind !== item.version.kind) return false
  if (agreed.disk.kind === 'directory' && shareDot(entryDots(agreed), entryDots(item))) return true
  const [first] = versionDots(item)
  return first !== undefined && includesDot(versionDots(agreed), first)
}

function shareDot(left: DotList, right: DotList): boolean {
  return left.some((dot) => includesDot(right, dot))
}
