import type { Look } from './course.ts'

/** The least of each so many looks that follow each other: what is open for a moment is not in it, what stays open is. */
export function leastOfEach(course: readonly Look[], looks: number): Look[] {
  const least: Look[] = []
  for (let start = 0; start + looks <= course.length; start += looks)
    least.push(course.slice(start, start + looks).reduce((one, other) => (other.value < one.value ? other : one)))
  return least
}
