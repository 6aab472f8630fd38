import { slopeOf } from '../feeds/slope.ts'

/** One look at a process, in seconds from the beginning. */
export interface Look {
  readonly seconds: number
  readonly value: number
}

export interface CourseVerdict {
  readonly looks: number
  /** What the slope makes of the time looked at. */
  readonly growth: number
  readonly growthShare: number
  /** In the middle of the time looked at, by the regression. */
  readonly mean: number
}

/** How something has grown in the last two thirds of the time, by least squares. */
export function judgeCourse(course: readonly Look[], seconds: number): CourseVerdict {
  const late = course.filter((look) => look.seconds >= seconds / 3)
  const [first, last] = [late[0], late.at(-1)]
  if (first === undefined || last === undefined || late.length < 3)
    throw new Error(`${late.length} looks in the last two thirds: too few for a slope`)
  const slope = slopeOf(late.map((look) => ({ x: look.seconds, y: look.value })))
  const mean = late.reduce((sum, { value }) => sum + value, 0) / late.length
  const growth = slope * (last.seconds - first.seconds)
  return { looks: late.length, growth, growthShare: mean === 0 ? 0 : growth / mean, mean }
}
