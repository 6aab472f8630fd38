import { CausalState, encodeOperation } from '../../src/crdt/causal-state.ts'
import type { Crdt, CrdtType } from '../../src/crdt/crdt-type.ts'
import { dotList } from '../../src/crdt/dot-list.ts'
import { DotSet, dotSet } from '../../src/crdt/dot-set.ts'
import { lwwRegister } from '../../src/crdt/lww-register.ts'
import { mailbox } from '../../src/crdt/mailbox.ts'
import { orMap } from '../../src/crdt/or-map.ts'
import { orSet } from '../../src/crdt/or-set.ts'
import { pnCounter } from '../../src/crdt/pn-counter.ts'
import { record } from '../../src/crdt/record.ts'
import { tree } from '../../src/crdt/tree.ts'
import { textValue } from '../../src/crdt/value-type.ts'
import { VectorClock } from '../../src/crdt/vector-clock.ts'
import { Writers } from '../../src/crdt/writers.ts'
import { encode } from '../../src/wire/schema.ts'
import { Site, writer } from './history.ts'

const [a, b] = [writer(1), writer(2)]
const text = textValue()
const table = new Writers([a, b])

/** What the page has as vectors of replicated values, as the code makes it. */
export function crdtVectors(): ReadonlyMap<string, Uint8Array> {
  return new Map([
    [
      'dots 3 and 300 of A, 1 of B, where both sides know the table A, B',
      encode(dotList(table), dotsOf([a, 3], [a, 300], [b, 1])),
    ],
    [
      'set of dots 1 to 4 and 6 of A, where both sides know the table A, B',
      encode(dotSet(table), new DotSet(dotsOf(...numbers))),
    ],
    [
      'clock of 5 of A and 300 of B, behind its writers',
      new VectorClock([
        [a, 5],
        [b, 300],
      ]).encode(),
    ],
    ...rows(orSet(text), 'set', [
      ['A adds x', (set) => set.add('x')],
      ['A adds x again, and so takes the place of dot 1', (set) => set.add('x')],
      ['A removes x', (set) => set.delete('x')],
      ['A adds the empty text', (set) => set.add('')],
    ]),
    ...rows(lwwRegister(text), 'register', [
      ['A writes x', (register) => register.set('x')],
      ['A clears it', (register) => register.clear()],
      ['A writes y', (register) => register.set('y')],
    ]),
    ...rows(pnCounter(), 'counter', [
      ['A adds 5', (counter) => counter.add(5, a)],
      ['A takes 7', (counter) => counter.add(-7, a)],
    ]),
    ...rows(orMap(text, orSet(text)), 'map of sets', [
      ['A adds x to the set at k', (map) => map.update('k', (set) => set.add('x'))],
      ['A adds y to the set at k', (map) => map.update('k', (set) => set.add('y'))],
      ['A removes the entry of k', (map) => map.delete('k')],
      ['A adds z to the set at l', (map) => map.update('l', (set) => set.add('z'))],
    ]),
    ...rows(record({ tags: orSet(text), votes: pnCounter() }), 'record of a set and a counter', [
      ['A adds 1 to the counter', (fields) => fields.update('votes', (votes) => votes.add(1, a))],
    ]),
    ...rows(tree(lwwRegister(text)), 'tree of registers', [
      ['A creates d at the top', (files) => files.create(undefined, 'd')],
      ['A creates f below it', (files) => files.create(dot(1), 'f')],
      ['A moves f to the top, as g', (files) => files.move(dot(2), undefined, 'g')],
      ['A writes x to it', (files) => files.edit(dot(2), (content) => content.set('x'))],
      ['A removes d', (files) => files.delete(dot(1))],
      ['A makes h at the top, with y in it', (files) => files.make(undefined, 'h', (content) => content.set('y'))],
    ]),
    ...rows(mailbox(), 'mailbox', [
      ['A creates Inbox', (box) => box.create('Inbox')],
      ['A appends 0102, flagged as seen', (box) => box.append(dot(1), Uint8Array.of(1, 2), ['seen'])],
      [
        'A flags it as answered and not as seen',
        (box) => box.store(dot(1), dot(2), { set: ['answered'], clear: ['seen'] }),
      ],
      ['A copies it to the same collection', (box) => box.copy(dot(1), dot(2), dot(1))],
      ['A expunges the first one', (box) => box.expunge(dot(1), dot(2))],
      ['A renames it to Post', (box) => box.rename(dot(1), 'Post')],
      ['A creates Old', (box) => box.create('Old')],
      ['A deletes it', (box) => box.delete(dot(7))],
    ]),
  ])
}

const numbers = [1, 2, 3, 4, 6].map((number) => [a, number] as const)

function dotsOf(...dots: readonly (readonly [string, number])[]): { writer: string; number: number }[] {
  return dots.map(([by, number]) => ({ writer: by, number }))
}

function dot(number: number): { writer: string; number: number } {
  return { writer: a, number }
}

/** Operations that A writes one after the other, each behind its writers, and the state that they lead to. */
function rows<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  name: string,
  steps: readonly (readonly [string, (value: State) => Operation])[],
): readonly (readonly [string, Uint8Array])[] {
  const site = new Site(type, 1)
  const operations = steps.map(([what, step]) => {
    const { operation } = site.write(step(site.value))
    return [`${name}: ${what}`, encodeOperation(type, operation)] as const
  })
  const state = site.state.encode()
  CausalState.decode(type, state)
  return [...operations, [`${name}: the state after that`, state]]
}
