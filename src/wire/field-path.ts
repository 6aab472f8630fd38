import { PlaitError } from '../base/error.ts'

/** Runs `step`; an error that leaves it says in its fact `field` that it came from within `name`. */
export function inField<Result>(name: string, step: () => Result): Result {
  try {
    return step()
  } catch (error) {
    throw within(name, error)
  }
}

/** The same error, which says in its fact `field` that it came from within `name`. */
export function within(name: string, error: unknown): unknown {
  if (!PlaitError.is(error)) return error
  const inner = fieldOf(error)
  const field = inner === '' || inner.startsWith('[') ? name + inner : `${name}.${inner}`
  // What is wrong with the other side's bytes is traced nowhere; what is wrong with a value here is.
  const traced = error.code === 'INVALID_ARGUMENT'
  return new PlaitError(error.code, error.message, { facts: { ...error.facts, field }, traced })
}

/** The path to the field that an error came from; empty for the message as a whole. */
export function fieldOf(error: PlaitError): string {
  const { field } = error.facts
  return typeof field === 'string' ? field : ''
}

/** Refuses a value that is to be encoded. */
export function refuse(what: string): never {
  throw new PlaitError('INVALID_ARGUMENT', what)
}
