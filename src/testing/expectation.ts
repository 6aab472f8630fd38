/** The three comparisons that the suites make, named as in vitest and Jest. */
export interface Expectation {
  toBe(expected: unknown): void
  /** For texts, numbers, and arrays of them. */
  toEqual(expected: unknown): void
  toBeGreaterThan(expected: number): void
}

/** Begins a comparison; `message` says what is compared. */
export type Expect = (actual: unknown, message?: string) => Expectation

/** Throws an error that shows both values when they are not as expected. */
export function expectPlainly(actual: unknown, message = 'a value'): Expectation {
  const check = (isRight: boolean, relation: string, expected: unknown): void => {
    if (!isRight) throw new Error(`${message} has to be ${relation} ${shown(expected)}, and is ${shown(actual)}`)
  }
  return {
    toBe: (expected) => check(Object.is(actual, expected), '', expected),
    toEqual: (expected) => check(isEqual(actual, expected), 'equal to', expected),
    toBeGreaterThan: (expected) => check(typeof actual === 'number' && actual > expected, 'greater than', expected),
  }
}

function isEqual(actual: unknown, expected: unknown): boolean {
  if (!isList(actual) || !isList(expected)) return Object.is(actual, expected)
  return actual.length === expected.length && actual.every((item, index) => Object.is(item, expected[index]))
}

function isList(value: unknown): value is readonly unknown[] | Uint8Array {
  return Array.isArray(value) || value instanceof Uint8Array
}

const shownCharacters = 200

function shown(value: unknown): string {
  const text = isList(value) ? `[${[...value].map(String).join(', ')}]` : String(value)
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}...`
}
