import { PlaitError } from '../base/error.ts'
import type { Codec } from './codec.ts'

/** The part of the Standard Schema interface (version 1) that is used here: zod, valibot, arktype and others have it. */
export interface StandardSchema<Value> {
  readonly '~standard': {
    readonly version: 1
    readonly validate: (value: unknown) => StandardResult<Value> | Promise<StandardResult<Value>>
  }
}

type StandardResult<Value> =
  | { readonly value: Value; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] }

/**
 * A codec behind which nothing arrives that `schema` does not accept: the sender has `INVALID_MESSAGE` for an answer, with what the
 * schema says. What is sent is not checked. The schema must answer at once.
 */
export function validated<Value>(codec: Codec<Value>, schema: StandardSchema<Value>): Codec<Value> {
  return {
    content: codec.content,
    encode: (value) => codec.encode(value),
    decode: (bytes) => check(schema, codec.decode(bytes)),
  }
}

function check<Value>(schema: StandardSchema<Value>, value: unknown): Value {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    // Nobody waits for it, so that it may not end unhandled.
    result.catch(() => {})
    throw new PlaitError(
      'INVALID_MESSAGE',
      'a schema that answers later cannot check messages: give one that does so at once',
    )
  }
  if (result.issues === undefined) return result.value
  const said = result.issues.map(({ message }) => message).join('; ')
  throw new PlaitError('INVALID_MESSAGE', `a message that its schema does not accept: ${said}`)
}
