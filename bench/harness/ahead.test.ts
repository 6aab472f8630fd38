import { expect, test } from 'vitest'
import { rivalsTable, standingsOf } from './ahead.ts'
import type { Sample } from './rows.ts'
import { sampleOf } from './sample-fixture.ts'

function standing(samples: readonly Sample[], metric: string): ReturnType<typeof standingsOf>[number] {
  const found = standingsOf(samples).find((candidate) => candidate.metric === metric)
  if (found === undefined) throw new Error(`no standing in ${metric}`)
  return found
}

test('plait is ahead in W3 only when it is faster than the fastest rival', () => {
  const rivals = [sampleOf('W3', 'protomux-corked', { rate: 100, cpu: 1 }), sampleOf('W3', 'grpc', { rate: 3, cpu: 9 })]
  const faster = standing([...rivals, sampleOf('W3', 'plait', { rate: 101, cpu: 1 })], 'rate')
  expect(faster).toMatchObject({ best: 'protomux-corked', figure: 1.01, ahead: true })
  expect(faster.rivals).toEqual(['protomux-corked', 'grpc'])
  const slower = standing([...rivals, sampleOf('W3', 'plait', { rate: 99, cpu: 1 })], 'rate')
  expect(slower).toMatchObject({ best: 'protomux-corked', ahead: false })
})

test('less CPU time is better: more than the most frugal rival is behind', () => {
  const samples = [
    sampleOf('W3', 'wss', { rate: 1, cpu: 2 }),
    sampleOf('W3', 'nats', { rate: 1, cpu: 1 }),
    sampleOf('W3', 'plait', { rate: 5, cpu: 1.5 }),
  ]
  expect(standing(samples, 'cpu')).toMatchObject({ best: 'nats', figure: 1.5, ahead: false })
})

test('raw sockets and plait itself are no rivals, and without a rival there is no standing', () => {
  const samples = ['net', 'tls', 'tls-unbatched', 'plait-iterator'].map((peer) =>
    sampleOf('W3', peer, { rate: 1, cpu: 1 }),
  )
  expect(standingsOf([...samples, sampleOf('W3', 'plait', { rate: 5, cpu: 1 })])).toEqual([])
})

test('in W1 within 1.15x of the best is ahead, and beyond is behind', () => {
  const rival = sampleOf('W1', 'protomux', { p50: 100 })
  expect(standing([rival, sampleOf('W1', 'plait', { p50: 115 })], 'p50').ahead).toBe(true)
  expect(standing([rival, sampleOf('W1', 'plait', { p50: 116 })], 'p50').ahead).toBe(false)
})

test('in W7 a rival counts only when it carries half of the bulk of raw tls', () => {
  const samples = [
    sampleOf('W7', 'tls', { p99: 10, bulk: 1_000 }),
    sampleOf('W7', 'plait', { p99: 3, bulk: 900 }),
    sampleOf('W7', 'grpc', { p99: 1, bulk: 499 }),
    sampleOf('W7', 'protomux', { p99: 16, bulk: 500 }),
  ]
  expect(standing(samples, 'p99')).toMatchObject({ rivals: ['protomux'], ahead: true })
  expect(standingsOf(samples.filter(({ peer }) => peer !== 'tls'))).toEqual([])
})

test('the table names the rival and says who is ahead', () => {
  const samples = [sampleOf('W6', 'nats', { rate: 4, cpu: 1 }), sampleOf('W6', 'plait', { rate: 2, cpu: 0.5 })]
  const [rate, cpu] = rivalsTable(standingsOf(samples)).split('\n')
  expect(rate).toMatch(/W6 rate +0\.50x nats +behind/)
  expect(cpu).toMatch(/W6 cpu +0\.50x nats +ahead of all 1$/)
})
