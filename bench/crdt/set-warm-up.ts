import { elementOf } from './element.ts'
import type { SetTool } from './set-tool.ts'

const warmUpMs = 500
const elements = 200

/** Does all that is measured on sets of its own, until it is compiled. */
export function warmUp(tool: SetTool): void {
  const all = Array.from({ length: elements }, (_, number) => elementOf(number))
  for (const until = performance.now() + warmUpMs; performance.now() < until;) {
    const one = tool.create(1)
    one.addAll(all)
    const [left, right] = [tool.load(one.encode(), 2), tool.load(one.encode(), 3)]
    for (const element of all.slice(0, 20)) {
      left.apply(right.delete(element), 3)
      left.apply(right.add(`${element} again`), 3)
    }
    right.addAll(all.map((element) => `${element} more`))
    left.merge(right.encode())
  }
}
