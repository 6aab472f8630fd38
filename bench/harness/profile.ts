import { type Profiler, Session } from 'node:inspector/promises'

const lines = 15

/** Samples this process; for the timed part only, so that starting it does not hide what it does. */
export class Profile {
  readonly #session = new Session()

  async begin(): Promise<void> {
    this.#session.connect()
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.start')
  }

  /** The functions with the most self time, one a line, with their share of the time in which there was something to do. */
  async finish(): Promise<string[]> {
    const { profile } = await this.#session.post('Profiler.stop')
    this.#session.disconnect()
    return topSelfTime(profile)
  }
}

export function topSelfTime({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): string[] {
  const namesById = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const microsecondsByName = new Map<string, number>()
  let total = 0
  for (const [index, id] of samples.entries()) {
    const name = namesById.get(id) ?? '?'
    if (name === '(idle)' || name.includes('node:inspector')) continue
    const spent = timeDeltas[index] ?? 0
    microsecondsByName.set(name, (microsecondsByName.get(name) ?? 0) + spent)
    total += spent
  }
  const top = [...microsecondsByName].sort((a, b) => b[1] - a[1]).slice(0, lines)
  return top.map(
    ([name, spent]) =>
      `${((100 * spent) / total).toFixed(1).padStart(5)} % ${(spent / 1_000).toFixed(0).padStart(6)} ms  ${name}`,
  )
}

function nameOf({
  functionName,
  url,
  lineNumber,
}: {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}): string {
  const place = url === '' ? '' : ` ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`
  return `${functionName === '' ? '(anonymous)' : functionName}${place}`
}
