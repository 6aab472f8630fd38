import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { describeEnumeration, enumerateCrashes } from '../../test/store/crash-enumeration.ts'
import { count, fullCounts, withinMs } from '../counts.ts'
import { seed } from '../seed.ts'
import { startProgram, type Program } from '../support/process.ts'
import { phases, type Phase } from './phases.ts'
import { parseTrace, summarizeTrace } from './system-calls.ts'

const owner = fileURLToPath(new URL('./owner.ts', import.meta.url))

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'plait-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The number in the last line that begins so. */
function lastOf({ stdout }: Program, beginning: string): number | undefined {
  const found = stdout.match(new RegExp(`^${beginning} (\\d+)$`, 'gm'))?.at(-1)
  return found === undefined ? undefined : Number(found.slice(beginning.length + 1))
}

it('S1: an owner is killed again and again, and every next one finds all that was acknowledged, once, in order', async () => {
  process.stdout.write(`seed ${seed}\n`)
  const folder = makeFolder()
  const random = new SeededRandom(seed)
  const kills = count(1_000, 15)
  const killsByPhase = new Map<Phase, number>(phases.map((phase) => [phase, 0]))
  const hasEmptyRow = (): boolean => [...killsByPhase.values()].includes(0)
  // The next owner is started early and waits, so that its start costs no time.
  const start = (kill: number): readonly [string, Program] => {
    const missing = phases.find((phase) => kill > kills && killsByPhase.get(phase) === 0)
    const aim = missing ?? phases[kill % phases.length] ?? ''
    return [aim, startProgram(owner, [folder, `${seed}/${kill}`, aim, 'wait'])]
  }
  let acknowledged = 0
  let slowestOpenMs = 0
  let next = start(0)
  for (let kill = 0; kill < kills || (hasEmptyRow() && kill < kills + 20); kill += 1) {
    const [aim, program] = next
    const [, found = '', openMs = ''] = await program.line(/^opened (\d+) in (\d+) ms$/)
    expect(Number(found), `kill ${kill}, aimed at ${aim}`).toBeGreaterThanOrEqual(acknowledged)
    slowestOpenMs = Math.max(slowestOpenMs, Number(openMs))
    next = start(kill + 1)
    await program.line(/^aimed$/)
    await new Promise((resolve) => setTimeout(resolve, random.integer(0, 4)))
    expect(program.running).toBe(true)
    const { signal } = await program.kill('SIGKILL')
    expect(signal).toBe('SIGKILL')
    expect(program.stdout.match(/^violation.*$/gm)).toBeNull()
    expect(program.stderr).toBe('')
    acknowledged = lastOf(program, 'acknowledged') ?? 0
    expect(acknowledged).toBeGreaterThanOrEqual(Number(found))
    const phase = program.stdout
      .match(/^phase \w+$/gm)
      ?.at(-1)
      ?.slice('phase '.length) as Phase
    killsByPhase.set(phase, (killsByPhase.get(phase) ?? 0) + 1)
  }
  await next[1].kill()
  const histogram = [...killsByPhase].map(([phase, kill]) => `${phase} ${kill}`).join(', ')
  process.stdout.write(`killed while in: ${histogram}; slowest opening ${slowestOpenMs} ms, ${acknowledged} records\n`)
  expect(hasEmptyRow(), histogram).toBe(false)
  expect(slowestOpenMs).toBeLessThan(withinMs(2_000))
}, 3_600_000)

it('S1: no state that a power cut can leave loses or doubles anything', async () => {
  const states = count(50_000)
  const enumeration = await enumerateCrashes(states, fullCounts ? 24 : 160)
  process.stdout.write(`${describeEnumeration(enumeration)}\n`)
  expect(enumeration.violations).toEqual([])
  expect(enumeration.states).toBeGreaterThanOrEqual(states)
  for (const [phase, number] of enumeration.statesByPhase) expect(number, phase).toBeGreaterThan(0)
  if (fullCounts) expect(enumeration.marks.get('segments joined')).toBeGreaterThan(0)
}, 600_000)

it('S1: by the account of the system, no acknowledgement is written before the sync of its record is over', (context) => {
  const folder = makeFolder()
  const trace = join(folder, 'trace')
  const calls = ['-f', '-xx', '-s', '24', '-e', 'trace=pwrite64,write,fdatasync', '-o', trace]
  const command = [...calls, process.execPath, owner, folder, String(seed), 'none', '40']
  const { error, status, stdout } = spawnSync('strace', command, { encoding: 'utf8', timeout: 50_000 })
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return context.skip('needs strace')
  if (status !== 0 && !existsSync(trace)) return context.skip('strace may not trace here')
  expect(status).toBe(0)
  const { acknowledgements, syncs, early } = summarizeTrace(parseTrace(readFileSync(trace, 'utf8')))
  expect(early).toEqual([])
  expect(acknowledgements).toBe(stdout.match(/^acknowledged/gm)?.length)
  expect(acknowledgements).toBeGreaterThan(40)
  expect(syncs).toBeGreaterThanOrEqual(40)
  return undefined
})

it('S5: a second owner is refused with the pid of the first, and is the owner when that one is killed', async () => {
  const folder = makeFolder()
  const arguments_ = [folder, String(seed), 'none']
  const first = startProgram(owner, arguments_)
  await first.line(/^acknowledged/)
  const second = startProgram(owner, arguments_)
  const [, code, pid, tookMs] = await second.line(/^refused (\w+) (\d+) in (\d+) ms$/)
  expect([code, Number(pid)]).toEqual(['STORE_IN_USE', first.pid])
  expect(Number(tookMs)).toBeLessThan(withinMs(1_000))
  expect((await second.outcome()).code).toBe(0)
  await first.kill('SIGKILL')
  const third = startProgram(owner, arguments_)
  const [, found] = await third.line(/^opened (\d+)/)
  expect(Number(found)).toBeGreaterThanOrEqual(lastOf(first, 'acknowledged') ?? Number.POSITIVE_INFINITY)
  await third.kill('SIGKILL')
})
