import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { runHistory } from './history.ts'
import { useMailbox } from './use-mailbox.ts'
import { useTree } from './use-tree.ts'
import { useCounter, useLww, useMap, useMv, useNested, useSet } from './uses.ts'

const histories = 150

/** Runs many; the seed of one that fails is in the message. */
function runAll(name: string, run: (random: SeededRandom) => unknown): void {
  for (let seed = 0; seed < histories; seed += 1) {
    try {
      run(new SeededRandom(`${name}/${seed}`))
    } catch (error) {
      throw new Error(`history ${name}/${seed}`, { cause: error })
    }
  }
}

describe('operations in any causal order, states and deltas in any order lead to the same', () => {
  it('set', () => expect(() => runAll('set', (random) => runHistory(random, useSet))).not.toThrow())
  it('register', () => expect(() => runAll('register', (random) => runHistory(random, useLww))).not.toThrow())
  it('multi-value register', () => expect(() => runAll('mv', (random) => runHistory(random, useMv))).not.toThrow())
  it('counter', () => expect(() => runAll('counter', (random) => runHistory(random, useCounter))).not.toThrow())
  it('map', () => expect(() => runAll('map', (random) => runHistory(random, useMap))).not.toThrow())
  it('tree', () => expect(() => runAll('tree', (random) => runHistory(random, useTree))).not.toThrow())
  it('mailbox', () => expect(() => runAll('mailbox', (random) => runHistory(random, useMailbox))).not.toThrow())
  it('map of records', () => expect(() => runAll('nested', (random) => runHistory(random, useNested))).not.toThrow())
})
