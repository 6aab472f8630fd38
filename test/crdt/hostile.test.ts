import { describe, expect, it } from 'vitest'
import { PlaitError } from '../../src/base/error.ts'
import { CausalState, decodeOperation, encodeOperation } from '../../src/crdt/causal-state.ts'
import type { Crdt, CrdtType } from '../../src/crdt/crdt-type.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { runHistory } from './history.ts'
import type { Use } from './history.ts'
import { useMailbox } from './use-mailbox.ts'
import { useTree } from './use-tree.ts'
import { useCounter, useLww, useMap, useNested, useSet } from './uses.ts'

/** Bytes that are nearly what they were: one other, one more, one less, the end cut off, a part twice. */
function mutate(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const at = random.integer(0, bytes.length - 1)
  switch (random.integer(0, 4)) {
    case 0:
      return bytes.with(at, random.pick([0, 1, 127, 128, 255, random.integer(0, 255)]))
    case 1:
      return Uint8Array.of(...bytes.subarray(0, at), random.integer(0, 255), ...bytes.subarray(at))
    case 2:
      return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + 1))
    case 3:
      return bytes.slice(0, at)
    default:
      return Uint8Array.of(...bytes, ...bytes.subarray(at))
  }
}

/** What is read from bytes that somebody has changed; undefined when they are refused, as they have to be: typed. */
function readOrRefused<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (PlaitError.is(error) && (error.code === 'PROTOCOL' || error.code === 'LIMIT')) return undefined
    throw error
  }
}

function attack<State extends Crdt<Operation>, Operation>(use: Use<State, Operation>, seed: string): [number, number] {
  const random = new SeededRandom(seed)
  const { type } = use
  let [read, refused] = [0, 0]
  for (let history = 0; history < 12; history += 1) {
    const { all, sites } = runHistory(random, use)
    const state = sites[0]?.state.encode() as Uint8Array
    for (let tries = 0; tries < 60; tries += 1) {
      const bytes = mutate(random, encodeOperation(type, random.pick(all).operation))
      const operation = readOrRefused(() => decodeOperation(type, bytes))
      if (operation !== undefined) takes(type, state, operation, bytes)
      const changed = mutate(random, state)
      const other = readOrRefused(() => CausalState.decode(type, changed))
      // What is read has one encoding: that from which it was read.
      if (other !== undefined) expect(other.encode()).toEqual(changed)
      const taken = [operation, other].filter((one) => one !== undefined).length
      read += taken
      refused += 2 - taken
    }
  }
  return [read, refused]
}

/** An operation that can be read can be written as it was, applied anywhere, and what comes of it can be written and read. */
function takes<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  bytes: Uint8Array,
  operation: Operation,
  written: Uint8Array,
): void {
  expect(encodeOperation(type, operation)).toEqual(written)
  const state = CausalState.decode(type, bytes)
  const [writer = ''] = state.seen.writers()
  const dot = { writer, number: state.seen.contiguous(writer) + 1 }
  state.apply(operation, dot)
  CausalState.decode(type, state.encode())
  CausalState.decode(type, state.delta(operation, dot).encode())
}

describe('bytes of somebody who means no good', () => {
  const attacks = {
    set: () => attack(useSet, 'set'),
    register: () => attack(useLww, 'register'),
    counter: () => attack(useCounter, 'counter'),
    map: () => attack(useMap, 'map'),
    nested: () => attack(useNested, 'nested'),
    tree: () => attack(useTree, 'tree'),
    mailbox: () => attack(useMailbox, 'mailbox'),
  }

  it.each(Object.entries(attacks))('are refused with a code, or read as what they say: %s', (_name, run) => {
    const [read, refused] = run()
    expect(read).toBeGreaterThan(30)
    expect(refused).toBeGreaterThan(300)
  })
})
