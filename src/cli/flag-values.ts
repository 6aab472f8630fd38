import { InvalidArgumentError } from 'commander'

/** Reads a whole number from `min` to `max` behind a flag; commander says which flag it was. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
    return value
  }
}
