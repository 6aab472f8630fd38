import { defaultLimits } from '../base/limits.ts'
import type { Limits } from '../base/limits.ts'
import type { CircuitContext, Section } from '../circuit/circuit-api.ts'
import { simulatedRuntime } from '../runtime/simulated/simulated-runtime.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface PlainContextOptions {
  readonly runtime?: Runtime
  readonly limits?: Partial<Limits>
  readonly localId?: string
  readonly remoteId?: string
}

/** What a circuit without a node has around it. */
export function plainContext(options: PlainContextOptions = {}): CircuitContext {
  const sections = new Map<string, Section>()
  return {
    localId: options.localId ?? 'near',
    remoteId: options.remoteId ?? 'far',
    sessionId: new Uint8Array(16),
    runtime: options.runtime ?? simulatedRuntime(),
    limits: { ...defaultLimits, ...options.limits },
    section: <Part extends Section>(name: string, create: () => Part): Part => {
      const part = (sections.get(name) as Part | undefined) ?? create()
      sections.set(name, part)
      return part
    },
  }
}
