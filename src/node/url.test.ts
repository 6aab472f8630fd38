import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PlaitError } from '../base/error.ts'
import { nodeIdFromPublicKey } from '../identity/node-id.ts'
import { formatAddress, formatUrl, parseAddress, parseListenAddress, parseUrl } from './url.ts'

const id = nodeIdFromPublicKey(new Uint8Array(32).fill(9))

function problemOf(text: string): string {
  try {
    parseUrl(text)
  } catch (error) {
    expect(PlaitError.is(error)).toBe(true)
    expect((error as PlaitError).code).toBe('INVALID_ADDRESS')
    return (error as PlaitError).message
  }
  throw new Error(`${text} was read`)
}

describe('a peer URL', () => {
  test('is taken apart', () => {
    expect(parseUrl(`plait://${id}@127.0.0.1:7001,[fe80::1%25eth0]:7002,host.example:1/echo/a%2Fb`)).toEqual({
      nodeId: id,
      addresses: [
        { host: '127.0.0.1', port: 7001 },
        { host: 'fe80::1%eth0', port: 7002 },
        { host: 'host.example', port: 1 },
      ],
      service: 'echo',
      peerId: 'a/b',
    })
    expect(parseUrl(`plait://${id}@h:1/echo`)).toEqual({
      nodeId: id,
      addresses: [{ host: 'h', port: 1 }],
      service: 'echo',
    })
    expect(parseUrl(`plait://${id}@h:1`)).toEqual({ nodeId: id, addresses: [{ host: 'h', port: 1 }] })
    expect(parseUrl(`plait://${id}/echo/x`)).toEqual({ nodeId: id, addresses: [], service: 'echo', peerId: 'x' })
  })

  test('says what is wrong with it', () => {
    expect(problemOf('http://x')).toContain('does not begin with plait://')
    expect(problemOf('plait://@h:1/echo')).toContain('node id is missing')
    expect(problemOf('plait://abc@h:1/echo')).toContain('"abc" is not a node id')
    expect(problemOf(`plait://${id.toUpperCase()}@h:1/echo`)).toContain('is not a node id')
    expect(problemOf(`plait://${id}@h/echo`)).toContain('no port')
    expect(problemOf(`plait://${id}@h:65536/echo`)).toContain('no port')
    expect(problemOf(`plait://${id}@h:1e3/echo`)).toContain('not HOST:PORT')
    expect(problemOf(`plait://${id}@::1:7001/echo`)).toContain('brackets')
    expect(problemOf(`plait://${id}@[127.0.0.1]:7001/echo`)).toContain('not an IPv6 address')
    expect(problemOf(`plait://${id}@a b:1/echo`)).toContain('not a host name')
    expect(problemOf(`plait://${id}@/echo`)).toContain('no port')
    expect(problemOf(`plait://${id}@h:1/echo/`)).toContain('the peer id is empty')
    expect(problemOf(`plait://${id}@h:1//x`)).toContain('the service is empty')
    expect(problemOf(`plait://${id}@h:1/a/b/c`)).toContain('too many slashes')
    expect(problemOf(`plait://${id}@h:1/%zz`)).toContain('percent-escaped')
    expect(problemOf(`plait://${id}@h:1/%ff`)).toContain('percent-escaped')
    expect(problemOf(`plait://${id}@h:1/${'a'.repeat(256)}`)).toContain('256 bytes')
    expect(problemOf(`plait://${id}@h:1/d/x#r.secret.check`)).toContain('share link')
    expect(problemOf(`plait://${id}@${Array(17).fill('h:1').join(',')}/x`)).toContain('more than 16')
  })

  test('is read back as it was written', () => {
    const host = fc.oneof(
      fc.ipV4(),
      fc.ipV6().filter((address) => address.length <= 45),
      fc.domain(),
      fc.constant('fe80::1%eth0'),
    )
    const address = fc.record({ host, port: fc.integer({ min: 0, max: 65_535 }) })
    const name = fc.string({ minLength: 1, maxLength: 60, unit: 'binary' })
    const names = fc.oneof(
      fc.record({}),
      fc.record({ service: name }),
      fc.record({
        service: name,
        peerId: fc.oneof(name, fc.constantFrom('__proto__', 'constructor', '..', '.', '/', '#?')),
      }),
    )
    fc.assert(
      fc.property(fc.array(address, { maxLength: 16 }), names, (addresses, named) => {
        const url = { nodeId: id, addresses, ...named }
        expect(parseUrl(formatUrl(url))).toEqual(url)
      }),
    )
  })

  test('hostile text is refused typed, or read and written back', () => {
    const piece = fc.constantFrom(
      'plait://',
      id as string,
      '@',
      ':',
      '/',
      '[',
      ']',
      ',',
      '%',
      '%2F',
      '7001',
      'h',
      '::1',
      '\0',
      '\ud800',
      '#',
      '?',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        try {
          const url = parseUrl(text)
          expect(parseUrl(formatUrl(url))).toEqual(url)
        } catch (error) {
          expect((error as PlaitError).code).toBe('INVALID_ADDRESS')
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('a name that cannot be written is refused', () => {
    const write = (service: string): string => formatUrl({ nodeId: id, addresses: [], service })
    expect(() => write('')).toThrow('empty')
    expect(() => write('\ud800')).toThrow('well-formed')
    expect(() => write('ä'.repeat(128))).toThrow('256 bytes')
  })
})

describe('an address', () => {
  test('host and port, IPv6 in brackets', () => {
    for (const text of ['127.0.0.1:0', '[::1]:7001', 'localhost:65535'])
      expect(formatAddress(parseAddress(text))).toBe(text)
    expect(() => parseAddress('localhost')).toThrow('no port')
  })

  test('of a listener has a scheme', () => {
    expect(parseListenAddress('tcp://[::]:0')).toEqual({ scheme: 'tcp', address: { host: '::', port: 0 } })
    expect(() => parseListenAddress('127.0.0.1:0')).toThrow('SCHEME://HOST:PORT')
  })
})
