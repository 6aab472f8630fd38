import type { LinkAddress } from '../link/link.ts'
import { parseAddress } from './url.ts'

const addressesMax = 4

/**
 * Where a node that has dialled us may be dialled itself: the addresses it says it listens on, with the host it was seen at
 * instead of "every interface", and without those that mean its own machine when that is another one. What cannot be read is left out.
 */
export function reachableAddresses(told: readonly string[], seenAt: string): readonly LinkAddress[] {
  const seen = readAddress(seenAt)
  const reachable: LinkAddress[] = []
  for (const text of told) {
    const address = readAddress(text)
    if (address === undefined || address.port === 0) continue
    if (isUnspecified(address.host)) {
      if (seen !== undefined) reachable.push({ host: seen.host, port: address.port })
    } else if (!isLoopback(address.host) || seen === undefined || isLoopback(seen.host)) reachable.push(address)
    if (reachable.length === addressesMax) break
  }
  return reachable
}

function readAddress(text: string): LinkAddress | undefined {
  try {
    return parseAddress(text)
  } catch {
    return undefined
  }
}

function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
