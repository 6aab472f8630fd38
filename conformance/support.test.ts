import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive, isListening, runProgram, startProgram, type Program } from './support/process.ts'

const server = `
import { createServer } from 'node:net'
const listening = createServer().listen(0, '127.0.0.1', () => {
  process.stdout.write('listening on ')
  setImmediate(() => console.log(listening.address().port))
})
`

describe('support for real processes', () => {
  let folder = ''
  let file = ''
  let left: Program | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plait-support-'))
    file = join(folder, 'server.mjs')
    await writeFile(file, server)
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('waits for a whole line, signals the pid, and sees it and its port gone', async () => {
    const program = startProgram(file)
    const port = Number((await program.line(/^listening on (\d+)$/))[1])
    expect(isAlive(program.pid)).toBe(true)
    expect(await isListening(port)).toBe(true)
    expect(await program.kill('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(isAlive(program.pid)).toBe(false)
    expect(await isListening(port)).toBe(false)
  })

  it('says what the program said when the line does not come', async () => {
    const program = startProgram(file)
    await expect(program.line(/^never$/, { timeoutMs: 300 })).rejects.toThrow(/waited 300 ms .*\n.*still running/)
    await program.line(/listening/)
    const line = program.line(/^never$/)
    program.signal('SIGKILL')
    await expect(line).rejects.toThrow(/ended before .*\n.*SIGKILL\nstdout: listening on \d+/)
  })

  it('leaves a program running, stopped even, ...', async () => {
    left = startProgram(file)
    await left.line(/listening/)
    left.signal('SIGSTOP')
    expect(isAlive(left.pid)).toBe(true)
  })

  it('... which is gone in the next test', () => {
    expect(left?.running).toBe(false)
    expect(isAlive(left?.pid ?? process.pid)).toBe(false)
  })

  it('runs a program to its end', async () => {
    const script = join(folder, 'script.mjs')
    await writeFile(script, 'console.log(process.argv[2], process.env.WORD); console.error("bad"); process.exit(3)')
    const outcome = await runProgram(script, ['one'], { env: { WORD: 'two' } })
    expect(outcome).toEqual({ code: 3, signal: null, stdout: 'one two\n', stderr: 'bad\n' })
  })
})
