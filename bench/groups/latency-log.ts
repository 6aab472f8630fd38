import { percentile } from '../workloads/percentile.ts'
import type { Latencies } from './order.ts'

/** Milliseconds of the clock that all processes of a machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** How long each of many took. */
export class LatencyLog {
  #values: number[] = []

  add(ms: number): void {
    this.#values.push(ms)
  }

  clear(): void {
    this.#values = []
  }

  summary(): Latencies {
    const values = this.#values
    if (values.length === 0) return { count: 0, p50: Number.NaN, p99: Number.NaN, most: Number.NaN }
    const most = values.reduce((largest, value) => Math.max(largest, value), 0)
    return { count: values.length, p50: percentile(values, 0.5), p99: percentile(values, 0.99), most }
  }
}
