import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { encodeHex } from '../base/bytes.ts'
import { createNetworkKeyFile, NetworkKey, readNetworkKeyFile } from './network-key.ts'

const key = new Uint8Array(32).fill(1)
const binding = new Uint8Array(32).fill(2)

test('a proof is that of RFC 2104 over the binding and the role, and holds for these only', () => {
  const network = new NetworkKey(key)
  const proof = network.prove(binding, true)

  expect(encodeHex(proof)).toBe('9d4cbe0a1163ece243c77ba0d1657bba32cb8473fa23e3e18deb4d00f9ab28f2')
  expect(network.verify(proof, binding, true)).toBe(true)
  expect(network.verify(proof, binding, false)).toBe(false)
  expect(network.verify(proof, new Uint8Array(32).fill(3), true)).toBe(false)
  expect(network.verify(proof.subarray(1), binding, true)).toBe(false)
  expect(new NetworkKey(new Uint8Array(32).fill(3)).verify(proof, binding, true)).toBe(false)
})

test('a key has 32 bytes, and is a copy', () => {
  for (const length of [0, 31, 33]) {
    expect(() => new NetworkKey(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  }
  const own = key.slice()
  const network = new NetworkKey(own)
  own.fill(9)
  expect(network.prove(binding, true)).toEqual(new NetworkKey(key).prove(binding, true))
})

test('a key file is private, made once, and read by its owner only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plait-psk-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'net.key')
  await createNetworkKeyFile(path)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const first = await readNetworkKeyFile(path)
  expect(first).toHaveLength(32)
  await expect(createNetworkKeyFile(path)).rejects.toMatchObject({ code: 'KEY_FILE' })
  expect(await readNetworkKeyFile(path)).toEqual(first)
  chmodSync(path, 0o644)
  await expect(readNetworkKeyFile(path)).rejects.toMatchObject({ code: 'KEY_FILE' })
  await expect(readNetworkKeyFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'KEY_FILE' })
  writeFileSync(path, 'correct horse battery staple\n')
  chmodSync(path, 0o600)
  await expect(readNetworkKeyFile(path)).rejects.toMatchObject({ code: 'KEY_FILE' })
})
