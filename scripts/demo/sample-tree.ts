import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const largeBytes = 5 * 1024 * 1024

/** A folder with what folders have in them: nesting, an empty directory, links, modes, times, odd names, files small and large. */
export function makeSampleTree(root: string): void {
  const write = (path: string, content: string | Uint8Array): string => {
    const full = join(root, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, content)
    return full
  }
  write('README', 'A sample folder.\n')
  write('empty file', '')
  write('.hidden/file', 'hidden files go along\n')
  for (let index = 0; index < 200; index += 1) {
    write(`notes/2024/${index % 12}/note ${index}.txt`, `note ${index}\n`.repeat(index))
  }
  write('names/übergröße 日本語 \u{1f600}.txt', 'names are Unicode\n')
  write('names/new\nline and \u001b[31mred', 'names may have anything in them\n')
  write('names/__proto__/constructor', 'plain names\n')
  write(`names/${'x'.repeat(255)}`, 'as long as a name can be\n')
  write('media/large.bin', pseudoRandomBytes(largeBytes))
  chmodSync(write('bin/tool', '#!/bin/sh\necho hello\n'), 0o755)
  chmodSync(write('private/secret', 'mine\n'), 0o600)
  mkdirSync(join(root, 'empty directory'))
  symlinkSync('../bin/tool', join(root, 'private/link to tool'))
  symlinkSync('nowhere', join(root, 'dangling link'))
  utimesSync(join(root, 'README'), 1_000_000_000.25, 1_000_000_000.25)
  lutimesSync(join(root, 'dangling link'), 946_684_800, 946_684_800)
  chmodSync(join(root, 'private'), 0o700)
  utimesSync(join(root, 'empty directory'), 0, 1)
}

/** The same bytes each time, without a pattern (xorshift32). */
function pseudoRandomBytes(length: number): Uint8Array {
  const words = new Uint32Array(length / 4)
  let state = 0x9e3779b9
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return new Uint8Array(words.buffer)
}
