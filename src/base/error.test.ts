import { describe, expect, it } from 'vitest'
import { PlaitError } from './error.ts'

describe('the error class', () => {
  it('has a trace when nothing else is said, and none when the other side has caused it', () => {
    const before = Error.stackTraceLimit
    expect(new PlaitError('TIMEOUT', 'too late').stack).toContain('error.test.ts')
    const untraced = new PlaitError('PROTOCOL', 'nonsense', { traced: false })
    expect(untraced.stack ?? '').not.toContain('error.test.ts')
    expect(Error.stackTraceLimit).toBe(before)
    expect(new Error('next').stack).toContain('error.test.ts')
  })

  it('is told from others, and from those of other copies by a mark and nothing else', () => {
    expect(PlaitError.is(new PlaitError('BUSY', 'no', { traced: false }))).toBe(true)
    expect(PlaitError.is({ [Symbol.for('plait.PlaitError')]: true })).toBe(true)
    for (const other of [new Error('no'), undefined, null, 'BUSY', { code: 'BUSY' }])
      expect(PlaitError.is(other)).toBe(false)
  })
})
