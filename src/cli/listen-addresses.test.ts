import type { NetworkInterfaceInfo } from 'node:os'
import { expect, it } from 'vitest'
import { everyInterface, reachableAt } from './listen-addresses.ts'

const four = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  internal,
  family: 'IPv4',
  netmask: '255.255.255.0',
  mac: '00:00:00:00:00:00',
  cidr: null,
})
const six = (address: string, scopeid = 0, internal = false): NetworkInterfaceInfo => ({
  address,
  internal,
  family: 'IPv6',
  netmask: 'ffff:ffff:ffff:ffff::',
  mac: '00:00:00:00:00:00',
  cidr: null,
  scopeid,
})
const interfaces = {
  lo: [four('127.0.0.1', true), six('::1', 0, true)],
  eth0: [six('fe80::1', 2), six('2001:db8::5'), four('192.168.1.5')],
}
const hosts = (bound: string, own: Parameters<typeof reachableAt>[1]): readonly string[] =>
  reachableAt([{ host: bound, port: 7 }], own).map(({ host }) => host)

it('listens on IPv6 too, where there is any', () => {
  expect(everyInterface(interfaces)).toBe('::')
  expect(everyInterface({ lo: [four('127.0.0.1', true)] })).toBe('0.0.0.0')
})

it('names what others can reach first, loopback last, and nothing that means another place elsewhere', () => {
  expect(hosts('::', interfaces)).toEqual(['192.168.1.5', '2001:db8::5', '127.0.0.1', '::1'])
  expect(hosts('0.0.0.0', interfaces)).toEqual(['192.168.1.5', '127.0.0.1'])
  expect(hosts('192.168.1.5', interfaces)).toEqual(['192.168.1.5'])
})

it('names no more addresses than a link should have', () => {
  const many = { eth0: Array.from({ length: 20 }, (_, index) => four(`10.0.0.${index + 1}`)) }
  expect(hosts('0.0.0.0', many)).toHaveLength(8)
})
