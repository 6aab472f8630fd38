import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { runHistory } from './history.ts'
import { useMailbox } from './use-mailbox.ts'
import { useTree } from './use-tree.ts'
import { useCounter, useLww, useMap, useMv, useNested, useSet } from './uses.ts'

/** One history of each type by a seed. Throws when replicas part, or are not what the operations say. */
export const histories: Readonly<Record<string, (random: SeededRandom) => unknown>> = {
  set: (random) => runHistory(random, useSet),
  register: (random) => runHistory(random, useLww),
  'multi-value register': (random) => runHistory(random, useMv),
  counter: (random) => runHistory(random, useCounter),
  map: (random) => runHistory(random, useMap),
  'map of records': (random) => runHistory(random, useNested),
  tree: (random) => runHistory(random, useTree),
  mailbox: (random) => runHistory(random, useMailbox),
}

/** Runs histories of one type; of the first that goes wrong it says the number, which is all that it follows from. */
export function runHistories(name: string, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) {
    try {
      histories[name]?.(new SeededRandom(`${name}/${number}`))
    } catch (error) {
      throw new Error(`${name}, history ${number}: ${String(error)}`, { cause: error })
    }
  }
}
