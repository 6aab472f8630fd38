import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sha256 } from '../../feed/node/sha256.ts'
import { systemRuntime } from '../../runtime/system/system-runtime.ts'
import { MemoryView } from '../../store/memory-view.ts'
import { Directory } from '../disk/directory.ts'
import { Pace } from '../pace.ts'
import { DiskIndex } from './disk-index.ts'
import { PathRules } from './path-rules.ts'
import { scanFolder } from './scan.ts'
import type { Scan } from './scan.ts'

const { clock, timers } = systemRuntime()
let root: string
let index: DiskIndex
let view: MemoryView

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'plait-scan-'))
  view = new MemoryView()
  index = await DiskIndex.open(view)
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Patterns that are names of files, for tests that are about something else. */
const names = (): ReturnType<ConstructorParameters<typeof PathRules>[0]['patternSet']> => {
  const patterns = new Set<string>()
  return {
    add(added) {
      for (const pattern of [added].flat()) for (const line of pattern.split('\n')) patterns.add(line)
      return this
    },
    test: (path) => ({ ignored: path.split('/').some((name) => patterns.has(name)), unignored: false }),
  }
}

async function scan(options: { readonly wallMs?: number; readonly ignore?: readonly string[] } = {}): Promise<Scan> {
  const directory = Directory.root(root)
  try {
    return await scanFolder(directory, {
      index,
      rules: new PathRules({ patternSet: names, ignore: options.ignore ?? [] }),
      pace: new Pace({ clock, timers }),
      clock: { now: () => clock.now(), wallMs: () => options.wallMs ?? Date.now() + 60_000 },
      rootOf: (file) => {
        const bytes = new Uint8Array(file.size)
        file.readNow(bytes, 0)
        return Promise.resolve(sha256.digest(bytes))
      },
    })
  } finally {
    directory.close()
  }
}

it('reads what it does not know, and nothing when nothing has changed', async () => {
  mkdirSync(join(root, 'd'))
  for (let count = 0; count < 50; count += 1) writeFileSync(join(root, `d/${count}`), `content ${count}`)
  expect((await scan()).read).toBe(50)
  await index.save()
  index = await DiskIndex.open(view)
  const again = await scan()
  expect([again.read, again.entries.size, again.skipped]).toEqual([0, 51, []])
  writeFileSync(join(root, 'd/7'), 'another 7')
  renameSync(join(root, 'd/8'), join(root, 'd/moved'))
  expect((await scan()).read).toBe(2)
})

it('reads a file again that was too young when it was read', async () => {
  writeFileSync(join(root, 'f'), 'one')
  expect((await scan({ wallMs: Date.now() })).read).toBe(1)
  expect((await scan()).read).toBe(1)
  expect((await scan()).read).toBe(0)
})

it('notices a file of the same size whose time was set back', async () => {
  writeFileSync(join(root, 'f'), 'one')
  utimesSync(join(root, 'f'), 1_000, 1_000)
  const before = (await scan()).entries.get('f')
  writeFileSync(join(root, 'f'), 'two')
  utimesSync(join(root, 'f'), 1_000, 1_000)
  const after = await scan()
  expect([after.read, after.entries.get('f')?.mtimeNs]).toEqual([1, before?.mtimeNs])
  expect(after.entries.get('f')?.root).not.toEqual(before?.root)
})

it('names what cannot be shared, and waits for none of it', async () => {
  execFileSync('mkfifo', [join(root, 'pipe')])
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve))
  symlinkSync('/etc/passwd', join(root, 'absolute'))
  symlinkSync('../outside', join(root, 'out'))
  writeFileSync(join(root, 'suid'), '')
  chmodSync(join(root, 'suid'), 0o4755)
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x66])]), '')
  writeFileSync(join(root, 'a\\b'), '')
  symlinkSync('suid', join(root, 'link'))
  const found = await scan()
  const { entries, skipped } = found
  server.close()
  expect([...entries.keys()].sort()).toEqual(['link', 'suid'])
  expect(entries.get('suid')?.mode).toBe(0o755)
  expect(skipped.map(({ path, isWhole }) => [path, isWhole]).sort()).toEqual([
    ['a\\b', true],
    ['absolute', true],
    ['out', true],
    ['pipe', true],
    ['socket', true],
    ['suid', false],
    ['\ufffdf', true],
  ])
  expect(['pipe', 'pipe/below', 'gone', 'suid'].map((path) => found.isSeen(path))).toEqual([false, false, true, true])
})

it('concludes nothing of what is ignored', async () => {
  mkdirSync(join(root, 'build/deep'), { recursive: true })
  writeFileSync(join(root, 'build/deep/x'), '')
  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'src/secret'), '')
  writeFileSync(join(root, 'src/open'), '')
  writeFileSync(join(root, 'src/.plaitignore'), 'secret')
  const found = await scan({ ignore: ['build'] })
  const { entries, skipped } = found
  expect([...entries.keys()]).toEqual(['src', 'src/.plaitignore', 'src/open'])
  expect(['build', 'build/deep/x', 'src/secret', 'src/other'].map((path) => found.isSeen(path))).toEqual([
    false,
    false,
    false,
    true,
  ])
  expect(skipped).toEqual([])
  expect(['build', 'src/secret', 'src', 'src/other'].map((path) => found.isLeftOut(path))).toEqual([
    true,
    true,
    false,
    false,
  ])
  // Above what is left out, and above what cannot be shared.
  symlinkSync('/etc', join(root, 'src/link'))
  mkdirSync(join(root, 'a/b/c'), { recursive: true })
  mkdirSync(join(root, 'whole'))
  symlinkSync('/etc', join(root, 'a/b/link'))
  const again = await scan({ ignore: ['build'] })
  expect(['src', 'a', 'a/b', 'a/b/c', 'whole'].map((path) => again.holdsUnseen(path))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
})

it('looks at what waits aside, and at nothing else of plait', async () => {
  mkdirSync(join(root, '.plait/aside/1'), { recursive: true })
  mkdirSync(join(root, '.plait/tmp'))
  writeFileSync(join(root, '.plait/tmp/1'), '')
  writeFileSync(join(root, '.plait/aside/1/x'), '')
  expect([...(await scan()).entries.keys()]).toEqual(['.plait/aside/1', '.plait/aside/1/x'])
})

it('lets the event loop go on while it looks at 10,000 files', async () => {
  for (let directory = 0; directory < 100; directory += 1) {
    mkdirSync(join(root, `d${directory}`))
    for (let file = 0; file < 100; file += 1) writeFileSync(join(root, `d${directory}/f${file}`), '')
  }
  await scan()
  let [longestMs, last] = [0, performance.now()]
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last)
    last = performance.now()
  }, 1)
  const start = performance.now()
  const { entries, read } = await scan()
  const elapsedMs = performance.now() - start
  clearInterval(timer)
  expect([entries.size, read]).toEqual([10_100, 0])
  if (process.env['SHOW']) console.log(elapsedMs, longestMs)
  // Five times what is expected of it.
  expect(elapsedMs).toBeLessThan(750)
  expect(longestMs).toBeLessThan(100)
})
