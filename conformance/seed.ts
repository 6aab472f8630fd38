/**
 * The seed of everything random in a conformance test: cut times, sizes, the moment of a kill. A run takes a new one and
 * prints it; `PLAIT_SEED` replays it. Real processes make no two runs equal, but the same things are tried at the same points.
 */
export const seed: number = seedFrom(process.env['PLAIT_SEED'])

function seedFrom(text: string | undefined): number {
  if (text === undefined || text === '') return 1 + Math.floor(Math.random() * 0xfffffffe)
  const number = Number(text)
  if (Number.isInteger(number) && number > 0 && number <= 0xffffffff) return number
  throw new Error(`PLAIT_SEED is ${text}; it must be a whole number from 1 to 4294967295`)
}
