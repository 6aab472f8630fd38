import type { HistogramSnapshot } from '../message/histogram.ts'

export type Labels = Readonly<Record<string, string>>

/** Text in the exposition format of OpenMetrics 1.0: families one after the other, each with its type, unit and help. */
export class Exposition {
  readonly #lines: string[] = []

  /** `name` is without the `_total` of its samples; one, or one for each set of labels: without any the family is left out. */
  counter(name: string, help: string, samples: number | readonly (readonly [Labels, number])[]): void {
    const list = typeof samples === 'number' ? [[{}, samples] as const] : samples
    if (list.length === 0) return
    this.#family(name, 'counter', help)
    for (const [labels, value] of list) this.#sample(`${name}_total`, labels, value)
  }

  /** One sample, or one for each set of labels; without any the family is left out. */
  gauge(name: string, help: string, samples: number | readonly (readonly [Labels, number])[]): void {
    const list = typeof samples === 'number' ? [[{}, samples] as const] : samples
    if (list.length === 0) return
    this.#family(name, 'gauge', help)
    for (const [labels, value] of list) this.#sample(name, labels, value)
  }

  /** Durations, in seconds; `name` ends with `_seconds`. */
  histogram(name: string, help: string, { buckets, count, sumMs }: HistogramSnapshot): void {
    this.#family(name, 'histogram', help)
    for (const bucket of buckets) this.#sample(`${name}_bucket`, { le: bound(bucket.upToMs / 1_000) }, bucket.count)
    this.#sample(`${name}_count`, {}, count)
    this.#sample(`${name}_sum`, {}, sumMs / 1_000)
  }

  /** What does not change, as labels. */
  info(name: string, help: string, labels: Labels): void {
    this.#family(name, 'info', help)
    this.#sample(`${name}_info`, labels, 1)
  }

  end(): string {
    return [...this.#lines, '# EOF', ''].join('\n')
  }

  #family(name: string, type: string, help: string): void {
    this.#lines.push(`# TYPE ${name} ${type}`)
    const unit = /_(bytes|seconds)$/.exec(name)?.[1]
    if (unit !== undefined) this.#lines.push(`# UNIT ${name} ${unit}`)
    this.#lines.push(`# HELP ${name} ${escape(help)}`)
  }

  #sample(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`)
    const set = pairs.length === 0 ? '' : `{${pairs.join(',')}}`
    this.#lines.push(`${name}${set} ${number(value)}`)
  }
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** Bounds are text to those who compare them: a whole number is always written `1.0`. */
function bound(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : number(value)
}
