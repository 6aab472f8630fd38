import type { Section } from '../circuit/circuit-api.ts'

/** What the layers above a node keep for it, by name: the node knows nothing of them, and shows what they read. */
export class Sections {
  readonly #byName = new Map<string, Section>()

  /** The one of this name; made when it is first asked for. */
  section<Part extends Section>(name: string, create: () => Part): Part {
    const present = this.#byName.get(name)
    if (present !== undefined) return present as Part
    const part = create()
    this.#byName.set(name, part)
    return part
  }

  read(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#byName].map(([name, part]) => [name, part.read()]))
  }
}
