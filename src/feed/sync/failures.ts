const firstMs = 1_000
const longestMs = 60_000
/** Peers that are remembered: the one that failed the longest ago gives way. */
const peersMax = 1_024

/** Which peers were ended for what they did, and how long each is left alone: twice as long each time. */
export class Failures {
  readonly #byId = new Map<string, { readonly until: number; readonly restMs: number }>()

  note(id: string, now: number): void {
    const restMs = Math.min(longestMs, (this.#byId.get(id)?.restMs ?? firstMs / 2) * 2)
    this.#byId.delete(id)
    this.#byId.set(id, { until: now + restMs, restMs })
    if (this.#byId.size > peersMax) for (const oldest of this.#byId.keys()) return void this.#byId.delete(oldest)
  }

  isResting(id: string, now: number): boolean {
    return now < (this.#byId.get(id)?.until ?? -Infinity)
  }
}
