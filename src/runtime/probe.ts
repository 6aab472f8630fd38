/** What tests and simulations see of the inside. Costs nothing in production. */
export interface Probe {
  /** Marks that a rare branch was taken; simulations require every mark to be hit. Labels are literals, listed in `marks.ts`. */
  sometimes(label: string): void
}

export const silentProbe: Probe = { sometimes() {} }
