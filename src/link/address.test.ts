import { expect, it } from 'vitest'
import { addressGroup, formatHostPort } from './address.ts'

it('writes host and port the usual way', () => {
  expect(formatHostPort('192.0.2.1', 80)).toBe('192.0.2.1:80')
  expect(formatHostPort('::ffff:192.0.2.1', 80)).toBe('192.0.2.1:80')
  expect(formatHostPort('2001:db8::1', 80)).toBe('[2001:db8::1]:80')
  expect(formatHostPort('example.org', 80)).toBe('example.org:80')
})

it('counts IPv4 by address, IPv6 by /64, however it is written', () => {
  expect(addressGroup('::FFFF:192.0.2.1')).toBe(addressGroup('192.0.2.1'))
  expect(addressGroup('192.0.2.2')).not.toBe(addressGroup('192.0.2.1'))
  const same = [
    '2001:db8:0:7::1',
    '2001:0db8:0000:0007:ffff:ffff:ffff:ffff',
    '2001:db8:0:7:1::',
    '2001:DB8::7:0:0:0:1',
    '2001:db8:0:7::1%eth0',
  ]
  expect(new Set(same.map(addressGroup))).toEqual(new Set(['2001:db8:0:7::/64']))
  expect(addressGroup('2001:db8:0:8::1')).toBe('2001:db8:0:8::/64')
  expect(addressGroup('::1')).toBe('0:0:0:0::/64')
})
