import { describe, expect, it } from 'vitest'
import { PendingHandshakes } from './pending-handshakes.ts'
import type { PlaitError } from '../../base/error.ts'

function pendingAt(limits: { pendingHandshakes: number; pendingHandshakesPerAddress: number }) {
  const table = new PendingHandshakes(limits)
  const aborted: string[] = []
  const errors: PlaitError[] = []
  const add = (name: string, group: string) => {
    const pending = {
      abort(reason: PlaitError) {
        aborted.push(name)
        errors.push(reason)
      },
    }
    table.add(pending, group)
    return pending
  }
  return { table, aborted, errors, add }
}

describe('pending handshakes', () => {
  it('lets the oldest of an address give way, at limit, limit + 1 and 100 x limit', () => {
    const { table, aborted, errors, add } = pendingAt({ pendingHandshakes: 1000, pendingHandshakesPerAddress: 4 })
    add('other', 'b')
    for (let index = 0; index < 4; index += 1) add(`${index}`, 'a')
    expect(aborted).toEqual([])
    add('4', 'a')
    expect(aborted).toEqual(['0'])
    expect(errors[0]).toMatchObject({ code: 'LIMIT', facts: { limit: 'pendingHandshakesPerAddress', value: 4 } })
    for (let index = 5; index < 400; index += 1) add(`${index}`, 'a')
    expect(aborted).toEqual(Array.from({ length: 396 }, (_, index) => `${index}`))
    expect(table.size).toBe(5)
  })

  it('lets the oldest of all give way when there are too many in all', () => {
    const { table, aborted, errors, add } = pendingAt({ pendingHandshakes: 3, pendingHandshakesPerAddress: 2 })
    for (let index = 0; index < 300; index += 1) add(`${index}`, `${index}`)
    expect(aborted).toEqual(Array.from({ length: 297 }, (_, index) => `${index}`))
    expect(errors.every((error) => error.facts['limit'] === 'pendingHandshakes')).toBe(true)
    expect(table.size).toBe(3)
  })

  it('frees the place of one that is done', () => {
    const { table, aborted, add } = pendingAt({ pendingHandshakes: 2, pendingHandshakesPerAddress: 1 })
    const first = add('first', 'a')
    table.remove(first)
    table.remove(first)
    add('second', 'a')
    add('third', 'b')
    expect([aborted, table.size]).toEqual([[], 2])
  })
})
