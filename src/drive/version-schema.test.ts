import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../wire/schema.ts'
import { versionSchema } from './version-schema.ts'
import type { Version } from './version.ts'

const file: Version = { kind: 'file', mode: 0o644, mtimeNs: 5n, size: 7, root: new Uint8Array(32), target: '' }
const none = new Uint8Array(0)

describe('a version', () => {
  it('is read as it was written', () => {
    for (const version of [
      file,
      { ...file, mtimeNs: -(2n ** 63n), size: Number.MAX_SAFE_INTEGER >>> 0, mode: 0o777 },
      { ...file, kind: 'directory', size: 0, root: none },
      { ...file, kind: 'link', size: 0, root: none, target: '../a' },
    ] as const)
      expect(decode(versionSchema, encode(versionSchema, version))).toEqual(version)
  })

  it('says nothing that no entry could be', () => {
    for (const version of [
      { ...file, mode: 0o4755 },
      { ...file, root: new Uint8Array(31) },
      { ...file, target: 'x' },
      { ...file, mtimeNs: 2n ** 63n },
      { ...file, kind: 'directory' as const },
      { ...file, kind: 'link' as const, size: 0, root: none },
      { ...file, kind: 'fifo' as unknown as 'file' },
    ])
      expect(() => encode(versionSchema, version)).toThrow()
  })

  it('is refused with a typed error when it is anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          const version = decode(versionSchema, bytes)
          expect(version.mode).toBeLessThanOrEqual(0o777)
          expect(version.root).toHaveLength(version.kind === 'file' ? 32 : 0)
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/PROTOCOL|LIMIT/) as unknown })
        }
      }),
    )
  })
})
