import { spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createIdentity, identityFromPrivateKey, privateKeyFromSeed } from './identity.ts'
import { parseNodeId } from './node-id.ts'
import { verify } from './signature.ts'
import { simulatedIdentity, simulatedVerify } from './simulated.ts'

const message = new TextEncoder().encode('a message')

describe('identity', () => {
  it('agrees with the second vector of RFC 8032', () => {
    const seed = Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex')
    const identity = identityFromPrivateKey(privateKeyFromSeed(seed))
    expect(Buffer.from(identity.publicKey).toString('hex')).toBe(
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    )
    expect(Buffer.from(identity.sign(Uint8Array.of(0x72))).toString('hex')).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    )
  })

  it('signs what only its own key verifies', () => {
    const identity = createIdentity()
    const signature = identity.sign(message)
    expect(signature).toHaveLength(64)
    expect(verify(identity.publicKey, message, signature)).toBe(true)
    expect(verify(createIdentity().publicKey, message, signature)).toBe(false)
    expect(verify(identity.publicKey, message.subarray(1), signature)).toBe(false)
    expect(verify(identity.publicKey, message, signature.subarray(1))).toBe(false)
    signature[5]! ^= 1
    expect(verify(identity.publicKey, message, signature)).toBe(false)
  })

  it('verifies nothing under the identity point, where OpenSSL verifies anything', () => {
    const identityPoint = new Uint8Array(32)
    identityPoint[0] = 1
    const forged = new Uint8Array(64)
    forged[0] = 1
    expect(verify(identityPoint, message, forged)).toBe(false)
    expect(verify(new Uint8Array(31), message, forged)).toBe(false)
  })

  it('closes once', () => {
    let closed = 0
    const identity = identityFromPrivateKey(privateKeyFromSeed(new Uint8Array(32).fill(7)), () => (closed += 1))
    identity.close()
    identity.close()
    expect(closed).toBe(1)
  })
})

describe('certificate', () => {
  it('is self-signed, carries the key and never ends', () => {
    const identity = createIdentity()
    const { certificate, key } = identity.tls()
    const parsed = new X509Certificate(certificate)
    expect(parsed.verify(parsed.publicKey)).toBe(true)
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(parsed.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)).toEqual(
      Buffer.from(identity.publicKey),
    )
    expect(parsed.validTo).toContain('9999')
    expect(parsed.ca).toBe(false)
    expect(identity.tls().certificate).toBe(certificate)
  })

  it('has a positive serial number in shortest form for every key', () => {
    for (let first = 0; first < 256; first += 15) {
      const seed = new Uint8Array(32).fill(first)
      const parsed = new X509Certificate(identityFromPrivateKey(privateKeyFromSeed(seed)).tls().certificate)
      expect(parsed.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
    }
  })

  it('is what openssl reads', (context) => {
    const version = spawnSync('openssl', ['version'])
    if (version.error !== undefined) return context.skip('openssl is not installed')
    const identity = createIdentity()
    const input = identity.tls().certificate
    const text = spawnSync('openssl', ['x509', '-noout', '-text', '-nameopt', 'RFC2253'], { input }).stdout.toString()
    expect(text).toContain('Version: 3 (0x2)')
    expect(text).toContain('Issuer: CN=plait')
    expect(text).toContain('Subject: CN=plait')
    expect(text).toContain('Not Before: Jan  1 00:00:00 1970 GMT')
    expect(text).toContain('Not After : Dec 31 23:59:59 9999 GMT')
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/)
    expect(text.match(/ED25519/g)).toHaveLength(4)
    expect(text.replace(/[\s:]/g, '')).toContain(Buffer.from(identity.publicKey).toString('hex'))
    const canonical = spawnSync('openssl', ['x509', '-outform', 'DER'], { input }).stdout
    expect(canonical).toEqual(new X509Certificate(input).raw)
    return undefined
  })
})

describe('simulated identity', () => {
  it('is the same for the same seed, with an id that parses', () => {
    const first = simulatedIdentity(Uint8Array.of(1))
    expect(simulatedIdentity(Uint8Array.of(1)).id).toBe(first.id)
    expect(simulatedIdentity(Uint8Array.of(2)).id).not.toBe(first.id)
    expect(parseNodeId(first.id)).toBe(first.id)
  })

  it('has signatures that its own check accepts and the real one refuses', () => {
    const identity = simulatedIdentity(Uint8Array.of(1))
    const signature = identity.sign(message)
    expect(simulatedVerify(identity.publicKey, message, signature)).toBe(true)
    expect(simulatedVerify(identity.publicKey, message.subarray(1), signature)).toBe(false)
    expect(simulatedVerify(identity.publicKey, message, signature.subarray(1))).toBe(false)
    expect(verify(identity.publicKey, message, signature)).toBe(false)
    expect(() => identity.tls()).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  })
})
