import { afterEach, expect, it, vi } from 'vitest'
import { Terminal } from './terminal.ts'

afterEach(() => vi.restoreAllMocks())

it('draws over what it has drawn, within the screen, and lets nothing else through', () => {
  const written: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  const size = { columns: process.stdout.columns, rows: process.stdout.rows }
  Object.assign(process.stdout, { columns: 5, rows: 3 })
  try {
    const terminal = new Terminal()
    terminal.draw(['one', 'a long line', 'three'])
    terminal.draw(['\u001b[2J'])
    Object.assign(process.stdout, { columns: 0, rows: 0 })
    terminal.draw(['a long line'])
  } finally {
    Object.assign(process.stdout, size)
  }
  expect(written).toEqual([
    '\x1b[H\x1b[2Jone\x1b[K\na lon\x1b[K\n\x1b[J',
    // Home, without clearing first: that would flicker.
    '\x1b[H\\e[2J\x1b[K\n\x1b[J',
    '\x1b[Ha long line\x1b[K\n\x1b[J',
  ])
})
