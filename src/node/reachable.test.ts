import { expect, test } from 'vitest'
import { reachableAddresses } from './reachable.ts'

test('what a node says of its addresses is taken with a grain of salt', () => {
  const of = (told: string[], seenAt: string): string[] =>
    reachableAddresses(told, seenAt).map(({ host, port }) => `${host}|${port}`)
  expect(of(['0.0.0.0:7001', '[::]:7002', '10.0.0.1:7003'], '192.168.1.5:50000')).toEqual([
    '192.168.1.5|7001',
    '192.168.1.5|7002',
    '10.0.0.1|7003',
  ])
  expect(of(['127.0.0.1:7001', 'localhost:7001', '[::1]:7001', 'a.example:7001'], '192.168.1.5:50000')).toEqual([
    'a.example|7001',
  ])
  expect(of(['127.0.0.1:7001'], '127.0.0.1:50000')).toEqual(['127.0.0.1|7001'])
  expect(of(['', 'x', '\0:1', 'a.example:0', 'a.example:99999'], '127.0.0.1:50000')).toEqual([])
  expect(of(Array(9).fill('a.example:1'), '127.0.0.1:50000')).toHaveLength(4)
  expect(of(['a.example:1', '0.0.0.0:1'], 'somewhere')).toEqual(['a.example|1'])
})
