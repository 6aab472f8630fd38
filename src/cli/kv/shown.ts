import type { KeyChange, KeyChanges } from '../control/group-requests.ts'
import { keyJson, keyLine } from './key-text.ts'

/** What a watcher has printed: each change once, whoever tells of it. */
export class Shown {
  readonly #prefix: string
  readonly #json: boolean
  readonly #print: (line: string) => void
  readonly #valuesByKey = new Map<string, string>()

  constructor(prefix: string, json: boolean, print: (line: string) => void) {
    this.#prefix = prefix
    this.#json = json
    this.#print = print
  }

  take({ changes, isWhole }: KeyChanges): void {
    if (isWhole) {
      const present = new Set(changes.map(({ key }) => key))
      for (const key of [...this.#valuesByKey.keys()]) if (!present.has(key)) this.#show({ key })
    }
    for (const change of changes) if (change.key.startsWith(this.#prefix)) this.#show(change)
  }

  #show(change: KeyChange): void {
    const { key, value } = change
    if (this.#valuesByKey.get(key) === value) return
    if (value === undefined) this.#valuesByKey.delete(key)
    else this.#valuesByKey.set(key, value)
    this.#print(this.#json ? keyJson(change) : keyLine(change))
  }
}
