import type { Registry } from './registry.ts'
import { heartbeat, noBytes, ping, settings, whoAmI } from './system.ts'
import type { Settings } from './system.ts'

/** Serves what every messenger answers. `said` is told what the other side says of itself. */
export function serveSystem(registry: Registry, nodeId: string, said: (settings: Settings) => void): void {
  registry.add(whoAmI, () => ({ nodeId }))
  registry.add(ping, (bytes) => bytes)
  registry.add(heartbeat, (bytes) => bytes)
  registry.add(settings, (message) => {
    said(message)
    return noBytes
  })
}
