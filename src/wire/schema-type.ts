import type { Reader } from './reader.ts'

/** How one kind of value stands on the wire, with its bound. Made by the combinators of `schema.ts`. */
export interface Schema<Value> {
  /** Bytes of the shortest encoding. */
  readonly bytesMin: number
  /** Ends only where its surroundings end, so that nothing can follow it. */
  readonly openEnded: boolean
  /** Bytes of the encoding. Throws `INVALID_ARGUMENT` for a value beyond the bound. */
  measure(value: Value): number
  /** Writes a value that `measure` has accepted; returns the offset behind it. */
  write(value: Value, out: Uint8Array, offset: number): number
  /** Throws `PROTOCOL` or `LIMIT`. */
  read(reader: Reader): Value
  describe(): SchemaDescription
}

/** What the tables of PROTOCOL.md are made of. */
export interface SchemaDescription {
  readonly type: string
  /** In words; empty when the type says it all. */
  readonly bound: string
  readonly fields?: readonly FieldDescription[]
}

export interface FieldDescription extends SchemaDescription {
  readonly name: string
  /** The number of its type, in a type-length-value list. */
  readonly number?: number
  /** May be absent. */
  readonly optional: boolean
}

/** The type of the values of a schema. */
export type Infer<S> = S extends Schema<infer Value> ? Value : never

/** A record whose fields are read from `Values`; those that may be undefined may also be left out. */
export type RecordOf<Values> = Simplify<
  { readonly [Name in keyof Values as undefined extends Values[Name] ? never : Name]: Values[Name] } & {
    readonly [Name in keyof Values as undefined extends Values[Name] ? Name : never]?: Values[Name]
  }
>

type Simplify<T> = { [Name in keyof T]: T[Name] }
