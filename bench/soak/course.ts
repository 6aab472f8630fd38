import { slopeOf } from '../feeds/slope.ts'
import { leastOfEach } from './least.ts'

/** One look at a process, in seconds from the beginning. */
export interface Look {
  readonly seconds: number
  readonly value: number
}

/** How a quantity of one process has gone. */
export interface Course {
  /** Whose. */
  readonly name: string
  readonly quantity: Quantity
  readonly looks: number
  /** What the slope makes of the time looked at. */
  readonly growth: number
  readonly growthShare: number
  /** In the middle of the time looked at, by the regression. */
  readonly mean: number
}

/** All but `descriptors` are in bytes. */
export type Quantity = 'memory' | 'heap' | 'disk' | 'descriptors'

/** Files are open for moments, and a descriptor that stays is in each look. */
const looksOfWindow = 10
const flatBytes = 1024 * 1024
const flatShare = 0.02

/** What was seen of processes while they were soaked. */
export class Courses {
  readonly #coursesByName = new Map<string, Map<Quantity, Look[]>>()
  readonly #began = performance.now()

  note(name: string, quantity: Quantity, value: number): void {
    const courses = this.#coursesByName.get(name) ?? new Map<Quantity, Look[]>()
    this.#coursesByName.set(name, courses)
    const seconds = (performance.now() - this.#began) / 1_000
    courses.set(quantity, [...(courses.get(quantity) ?? []), { seconds, value }])
  }

  /** How all of it has gone from `fromSeconds` on. */
  judge(fromSeconds: number): readonly Course[] {
    return [...this.#coursesByName].flatMap(([name, courses]) =>
      Array.from(courses, ([quantity, course]) => {
        const judged = quantity === 'descriptors' ? leastOfEach(course, looksOfWindow) : course
        return { name, quantity, ...judgeCourse(judged, fromSeconds) }
      }),
    )
  }
}

/** How something has grown from `fromSeconds` on, by least squares. */
export function judgeCourse(course: readonly Look[], fromSeconds: number): Omit<Course, 'name' | 'quantity'> {
  const late = course.filter((look) => look.seconds >= fromSeconds)
  const [first, last] = [late[0], late.at(-1)]
  if (first === undefined || last === undefined || late.length < 3)
    throw new Error(`${late.length} looks from second ${fromSeconds} on: too few for a slope`)
  const slope = slopeOf(late.map((look) => ({ x: look.seconds, y: look.value })))
  const mean = late.reduce((sum, { value }) => sum + value, 0) / late.length
  const growth = slope * (last.seconds - first.seconds)
  return { looks: late.length, growth, growthShare: mean === 0 ? 0 : growth / mean, mean }
}

/** Whether a course counts as flat: under 1 MiB and under 2 % in the time looked at; no descriptor more. */
export function isFlat({ quantity, growth, growthShare }: Course): boolean {
  return quantity === 'descriptors' ? growth < 1 : growth < flatBytes && growthShare < flatShare
}
