import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** The program reads a large file in a thread, and ends by itself: an idle thread keeps no process alive. */
const program = `
const { ContentDigester } = await import(process.argv[1])
const { systemRuntime } = await import(process.argv[2])
const digester = new ContentDigester(systemRuntime())
const { content } = await digester.digest({ path: 'file', place: process.argv[3] })
console.log(Buffer.from(content.root).toString('hex'), content.pages.length)
`

it('content is found in threads, of what was built as of the source, and the same', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plait-worker-'))
  try {
    const file = join(folder, 'file')
    writeFileSync(file, new Uint8Array(3_000_000).fill(7))
    const output = (root: string, extension: string): string => {
      const url = (path: string): string => new URL(`../../${root}/${path}.${extension}`, import.meta.url).href
      const modules = [url('drive/content/node/content-digester'), url('runtime/system/system-runtime')]
      return execFileSync(process.execPath, ['--input-type=module', '-e', program, ...modules, file], {
        encoding: 'utf8',
        timeout: 60_000,
      })
    }
    const built = output('dist', 'js')
    expect(built).toMatch(/^[0-9a-f]{64} 1\n$/)
    expect(output('src', 'ts')).toBe(built)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
