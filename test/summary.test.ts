import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { root } from './tidy/tree.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plait-summary-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('the last line of .ci/run', () => {
  it('counts tests and steps', () => {
    report([passedFile(3), passedFile(2)])
    leave({ 'lint.code': '0\n', 'test.code': '0\n', 'skipped.json': '[]' })
    expect(summarize('lint', 'test')).toEqual({ code: 0, lines: ['7 passed, 0 failed'] })
  })

  it('counts a step that failed, and one that did not run', () => {
    leave({ 'lint.code': '2\n', 'types.code': '0\n' })
    expect(summarize('lint', 'types', 'build')).toEqual({
      code: 1,
      lines: ['failed: lint: exit code 2', 'failed: build: did not run', '1 passed, 2 failed'],
    })
  })

  it('counts failed tests, and files that could not be loaded', () => {
    const broken = { status: 'failed', name: 'b.test.ts', message: 'no such module', assertionResults: [] }
    const failing = {
      status: 'failed',
      name: 'a.test.ts',
      message: '',
      assertionResults: [assertion('passed'), assertion('failed')],
    }
    report([failing, broken, passedFile(1)])
    leave({ 'test.code': '1\n', 'skipped.json': '[]' })
    expect(summarize('test')).toEqual({
      code: 1,
      lines: ['failed: a.test.ts: a test', 'failed: b.test.ts: no such module', '2 passed, 2 failed'],
    })
  })

  it('fails when the tests left no report, ended badly after passing, or never ended', () => {
    leave({ 'test.code': '1\n' })
    expect(summarize('test')).toEqual({ code: 1, lines: ['failed: test: there is no report', '0 passed, 1 failed'] })
    report([passedFile(1)])
    expect(summarize('test').lines.at(-1)).toBe('1 passed, 1 failed')
    rmSync(join(folder, 'test.code'))
    expect(summarize('test')).toMatchObject({ code: 1 })
  })

  it('says what was skipped and why, and accepts no silence', () => {
    report([passedFile(1)])
    leave({ 'test.code': '0\n', 'skipped.json': '[{"name":"as root","reason":"needs root"}]' })
    expect(summarize('test')).toEqual({
      code: 0,
      lines: ['skipped: as root: needs root', '2 passed, 0 failed, 1 skipped'],
    })
    leave({ 'skipped.json': '[{"name":"as root","reason":""}]' })
    expect(summarize('test')).toMatchObject({ code: 1 })
  })
})

function summarize(...steps: string[]): { code: number | null; lines: string[] } {
  const run = spawnSync(process.execPath, [join(root, 'scripts/summarize.mjs'), folder, ...steps], { encoding: 'utf8' })
  return { code: run.status, lines: run.stdout.trimEnd().split('\n') }
}

function report(testResults: readonly unknown[]): void {
  leave({ 'tests.json': JSON.stringify({ testResults }) })
}

function leave(textByName: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(textByName)) writeFileSync(join(folder, name), text)
}

function passedFile(count: number): unknown {
  return {
    status: 'passed',
    name: 'c.test.ts',
    message: '',
    assertionResults: Array.from({ length: count }, () => assertion('passed')),
  }
}

function assertion(status: string): unknown {
  return { status, fullName: 'a test' }
}
