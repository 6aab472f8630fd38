import {
  CausalState,
  decodeOperation,
  encodeOperation,
  type OrSet,
  orSet,
  type OrSetOperation,
  textValue,
  type Writer,
  writerFromKey,
} from 'plait'
import type { SetReplica, SetTool } from '../../crdt/set-tool.ts'
import { installedVersion } from './plait-peer.ts'

const type = orSet(textValue())

type State = CausalState<OrSet<string>, OrSetOperation<string>>

/** An OR-Set of texts through the public door. */
export function createSetTool(): SetTool {
  return {
    version: installedVersion(),
    settings:
      'an OR-Set of texts, add-wins; an operation is sent as encodeOperation writes it, and its dot and frontier by the entry of a feed: see the rows M',
    create: (writer) => new PlaitSet(new CausalState(type), writer),
    load: (state, writer) => new PlaitSet(CausalState.decode(type, state), writer),
  }
}

class PlaitSet implements SetReplica {
  readonly #state: State
  readonly #writer: Writer

  constructor(state: State, writer: number) {
    this.#state = state
    this.#writer = writerOf(writer)
  }

  get size(): number {
    return this.#state.value.size
  }

  has(element: string): boolean {
    return this.#state.value.has(element)
  }

  elements(): Iterable<string> {
    return this.#state.value.values()
  }

  addAll(elements: readonly string[]): void {
    for (const element of elements) this.#take(this.#state.value.add(element), this.#writer)
  }

  add(element: string): Uint8Array {
    return encodeOperation(type, this.#take(this.#state.value.add(element), this.#writer))
  }

  delete(element: string): Uint8Array {
    return encodeOperation(type, this.#take(this.#state.value.delete(element), this.#writer))
  }

  apply(operation: Uint8Array, writer: number): void {
    this.#take(decodeOperation(type, operation), writerOf(writer))
  }

  merge(state: Uint8Array): void {
    this.#state.merge(CausalState.decode(type, state))
  }

  encode(): Uint8Array {
    return this.#state.encode()
  }

  /** Under the next dot of its writer, as the feed has it. */
  #take(operation: OrSetOperation<string>, writer: Writer): OrSetOperation<string> {
    this.#state.apply(operation, { writer, number: this.#state.seen.contiguous(writer) + 1 })
    return operation
  }
}

const writers = new Map<number, Writer>()

function writerOf(number: number): Writer {
  const writer = writers.get(number) ?? writerFromKey(new Uint8Array(32).fill(number))
  writers.set(number, writer)
  return writer
}
