import type { CrdtType } from './crdt-type.ts'
import { MvRegister, registerType } from './mv-register.ts'
import type { RegisterOperation } from './mv-register.ts'
import type { ValueType } from './value-type.ts'

/**
 * A register that shows the last value: of those written at the same time the one with the highest Lamport time, then the highest dot.
 * The others are kept until something is written that has seen them: within a map, an entry could be removed by somebody who has seen
 * only the winner, and whoever had dropped the others could not tell that they stay.
 */
export class LwwRegister<Value> extends MvRegister<Value> {
  /** Undefined before the first write, and when it was cleared. */
  get value(): Value | undefined {
    return this.written[0]?.value
  }
}

export function lwwRegister<Value>(type: ValueType<Value>): CrdtType<LwwRegister<Value>, RegisterOperation<Value>> {
  return { ...registerType(type), name: `register of ${type.name}`, create: () => new LwwRegister(type) }
}
