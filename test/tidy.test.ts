import { describe, expect, it } from 'vitest'
import { judged } from './tidy/bad-files.ts'
import { lintCases, lintReports } from './tidy/lint-cases.ts'
import { readTree } from './tidy/tree.ts'

// Style is a test: what lint can see is in oxlint.config.ts, the rest stands in tidy/, and each rule of both is tried on files
// that it must refuse and on close neighbours that it must not.

const tree = readTree()

describe('the tree', () => {
  it('is read', () => {
    const paths = tree.map((file) => file.path)
    expect(paths).toContain('test/tidy.test.ts')
    expect(paths).toContain('src/base/error.ts')
    expect(paths).toContain('package-lock.json')
    expect(paths).toContain('LICENSE')
  })

  it.each(judged)('keeps: $rule.name', ({ rule }) => {
    const broken = tree.filter((file) => rule.applies(file.path)).flatMap((file) => rule.check(file))
    expect(broken).toEqual([])
  })
})

describe.each(judged)('the rule "$rule.name"', ({ rule, bad, good }) => {
  it.each(bad)('refuses %j', (file) => {
    expect(rule.applies(file.path)).toBe(true)
    expect(rule.check(file)).not.toEqual([])
  })

  it.each(good)('lets pass %j', (file) => {
    expect(rule.applies(file.path) ? rule.check(file) : []).toEqual([])
  })
})

describe('lint', () => {
  const reports = lintReports()

  it.each(lintCases)('on $path: $expected', ({ path, expected }) => {
    expect(reports.get(path) ?? []).toEqual(expected)
  })
})
