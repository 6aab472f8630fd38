import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import { reachableFirst } from '../drive/address.ts'
import type { LinkAddress } from '../link/link.ts'

const addressesMax = 8

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/** Where to listen so that every interface is reachable. */
export function everyInterface(interfaces: Interfaces = networkInterfaces()): string {
  return addressesOf(interfaces).some(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0'
}

/**
 * Where others can reach what listens on `bound`: this machine's own addresses in the place of "every interface", IPv4
 * before IPv6, loopback last. Link-local addresses are left out: they mean something else on every machine.
 */
export function reachableAt(
  bound: readonly LinkAddress[],
  interfaces: Interfaces = networkInterfaces(),
): readonly LinkAddress[] {
  const addresses = bound.flatMap(({ host, port }) => hostsFor(host, interfaces).map((own) => ({ host: own, port })))
  return reachableFirst(addresses).slice(0, addressesMax)
}

function hostsFor(host: string, interfaces: Interfaces): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host]
  const own = addressesOf(interfaces).filter(({ address, scopeid }) => !scopeid && !address.startsWith('fe80:'))
  const four = own.filter(({ family }) => family === 'IPv4')
  const six = host === '::' ? own.filter(({ family }) => family === 'IPv6') : []
  return [...four, ...six].map(({ address }) => address)
}

function addressesOf(interfaces: Interfaces): readonly NetworkInterfaceInfo[] {
  return Object.values(interfaces).flatMap((list) => list ?? [])
}
