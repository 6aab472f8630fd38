import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { End } from '../../bench/folder/end.ts'
import { cpuSecondsOf } from '../../bench/folder/process-tree.ts'
import { benchOnly, fullCounts } from '../counts.ts'

/** Without a cable: commands run where the test does. */
const way = {
  addresses: { near: '127.0.0.1', far: '127.0.0.1' },
  command: (_side: unknown, command: readonly string[]) => [...command],
}
const busy = 'while (process.cpuUsage().user < 200_000);'

function makeEnd(): End {
  const folder = mkdtempSync(join(tmpdir(), 'plait-bench-test-'))
  const end = new End(way, 'far', folder)
  onTestFinished(async () => {
    await end.close()
    rmSync(folder, { recursive: true })
  })
  return end
}

test('the CPU time of a running process is that which it reports itself, before it has waited for others', () => {
  const { user, system } = process.cpuUsage()
  const own = cpuSecondsOf(process.pid)
  expect(Math.abs(own - (user + system) / 1e6)).toBeLessThan(0.5)
})

test('a command counts with its own CPU time, with that of what it starts, and not with that of its idle wait', async () => {
  const end = makeEnd()
  const child = `require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(busy)}])`
  const began = performance.now()
  await end.run([process.execPath, '-e', `${child}; setTimeout(() => {}, 600)`], {})
  expect(performance.now() - began).toBeGreaterThan(800)
  expect(end.meter.cpuSeconds).toBeGreaterThan(0.2)
  expect(end.meter.cpuSeconds).toBeLessThan(0.8)
})

test('the peak is that of what has run, also when it has ended', async (context) => {
  if (!fullCounts) return context.skip(benchOnly)
  const end = makeEnd()
  await end.run([process.execPath, '-e', 'const held = Buffer.alloc(3e8, 1); setTimeout(() => held, 300)'], {})
  expect(end.meter.peakBytes).toBeGreaterThan(3e8)
  expect(end.meter.peakBytes).toBeLessThan(6e8)
})

test('a command that fails rejects with what it complained of', async () => {
  const complaint = makeEnd().run(['sh', '-c', 'echo too bad >&2; exit 3'], {})
  await expect(complaint).rejects.toThrow(/ended with 3\n.*too bad/)
})

test('who is killed is gone with all that it has started, and what it used is counted', async (context) => {
  if (!fullCounts) return context.skip(benchOnly)
  const end = makeEnd()
  const note = join(end.scratch, 'pid')
  const script = `${busy} require('node:fs').writeFileSync(${JSON.stringify(note)}, String(process.pid)); setInterval(() => {}, 1000)`
  const run = end.run(['sh', '-c', '"$0" -e "$1"; true', process.execPath, script], {}).catch((error: Error) => error)
  const server = end.start([process.execPath, '-e', `${busy} console.log('ready'); setInterval(() => {}, 1000)`], {})
  await server.says((printed) => /ready/.exec(printed) ?? undefined)
  while (!existsSync(note)) await sleep(20)
  const pid = Number(readFileSync(note, 'utf8'))
  await end.kill()
  expect(await run).toBeInstanceOf(Error)
  expect(server.isOver).toBe(true)
  await expect.poll(() => isRunning(pid), { timeout: 5_000 }).toBe(false)
  expect(end.meter.cpuSeconds).toBeGreaterThan(0.38)
})

/** What has ended may stand in the table until somebody has waited for it. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
