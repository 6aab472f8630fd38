import type { LinkAddress } from '../link/link.ts'

/** Whether only programs on the same machine can reach this address. */
export function isLoopback(address: LinkAddress): boolean {
  const host = address.host.toLowerCase()
  return host === 'localhost' || host === '::1' || host.startsWith('127.') || host.startsWith('::ffff:127.')
}

/** What other machines can reach first, loopback last; else in the order given. */
export function reachableFirst(addresses: readonly LinkAddress[]): readonly LinkAddress[] {
  return [...addresses.filter((address) => !isLoopback(address)), ...addresses.filter(isLoopback)]
}
