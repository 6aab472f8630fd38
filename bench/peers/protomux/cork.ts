import type Protomux from 'protomux'

const batchBytes = 64 * 1024

/** Corks a mux for the rest of the turn of the event loop, or until a batch is full: what its users write by hand. */
export class Cork {
  readonly #mux: Protomux
  #corked = false
  #bytes = 0
  readonly #endTurn = (): void => {
    if (this.#corked) this.#end()
  }

  constructor(mux: Protomux) {
    this.#mux = mux
  }

  /** To be called before a message of this length is sent. */
  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#corked) return
    this.#corked = true
    this.#mux.cork()
    setImmediate(this.#endTurn)
  }

  endWhenFull(): void {
    if (this.#bytes >= batchBytes) this.#end()
  }

  #end(): void {
    this.#corked = false
    this.#bytes = 0
    this.#mux.uncork()
  }
}
