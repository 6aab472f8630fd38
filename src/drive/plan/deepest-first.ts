import { endsStep } from './steps.ts'
import type { Steps } from './steps.ts'

/** What is in a directory before the directory, by counting only: to sort a hundred thousand paths takes a turn too long. */
export function* deepestFirst<Item extends { readonly path: string }>(items: Iterable<Item>): Steps<readonly Item[]> {
  const itemsByDepth: Item[][] = []
  let count = 0
  for (const item of items) {
    const depth = depthOf(item.path)
    const known = itemsByDepth[depth]
    if (known === undefined) itemsByDepth[depth] = [item]
    else known.push(item)
    count += 1
    if (endsStep(count)) yield
  }
  return itemsByDepth.reverse().flat()
}

function depthOf(path: string): number {
  let depth = 0
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) depth += 1
  return depth
}
