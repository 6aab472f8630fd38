import { expect, test } from 'vitest'
import { Campaign } from './campaign.ts'
import type { PairOptions, PairResult } from './pair.ts'

const result: PairResult = {
  version: 'v',
  settings: 's',
  measures: [{ metric: 'rate', unit: 'u', value: 1 }],
  proof: { dial: [], listen: [] },
  profile: { dial: [], listen: [] },
}

function peerOf({ peerModule }: PairOptions): string {
  return /([^/]+)\.ts$/.exec(peerModule)?.[1] ?? ''
}

function installed(): undefined {}

test('all peers run once, then all again, and a slow one at its share of the counts', async () => {
  const runs: string[] = []
  const run = (options: PairOptions): Promise<PairResult> => {
    runs.push(`${peerOf(options)} ${options.scale}`)
    return Promise.resolve(result)
  }
  const campaign = new Campaign({ peers: ['tls', 'grpc'], repeat: 2, scale: 0.5 }, run, installed)
  await campaign.measure('W2')
  expect(runs).toEqual(['tls 0.5', 'grpc 0.05', 'tls 0.5', 'grpc 0.05'])
  expect(campaign.samples.map(({ peer, repeat, scale }) => [peer, repeat, scale])).toEqual([
    ['tls', 0, 0.5],
    ['grpc', 0, 0.05],
    ['tls', 1, 0.5],
    ['grpc', 1, 0.05],
  ])
  expect(campaign.absent).toEqual([])
})

test('what is not installed or lacks the means does not run, and is a row that says so', async () => {
  const ran: string[] = []
  const run = (options: PairOptions): Promise<PairResult> => {
    ran.push(peerOf(options))
    return Promise.resolve(result)
  }
  const missing = (peer: string): string | undefined => (peer === 'nats' ? 'not installed: nats-server' : undefined)
  const campaign = new Campaign({ peers: ['tls', 'wss', 'nats'], repeat: 1, scale: 1 }, run, missing)
  await campaign.measure('W5')
  expect(ran).toEqual(['tls'])
  expect(campaign.lacksPeer).toBe(true)
  expect(campaign.absent).toEqual([
    expect.objectContaining({ workload: 'W5', peer: 'wss', absent: 'cannot: it has no streams', median: null }),
    expect.objectContaining({ workload: 'W5', peer: 'nats', absent: 'not installed: nats-server', median: null }),
  ])
})

test('a rival that fails loses its row and runs no more; the others go on, and the run has failed', async () => {
  let failures = 0
  const run = (options: PairOptions): Promise<PairResult> => {
    if (peerOf(options) !== 'wss') return Promise.resolve(result)
    failures += 1
    return Promise.reject(new Error('it broke'))
  }
  const campaign = new Campaign({ peers: ['tls', 'wss'], repeat: 3, scale: 1 }, run, installed)
  await campaign.measure('W1')
  expect(failures).toBe(1)
  expect(campaign.samples.map(({ peer }) => peer)).toEqual(['tls', 'tls', 'tls'])
  expect(campaign.absent).toMatchObject([{ peer: 'wss', absent: 'failed: W1 over wss: it broke' }])
  expect(campaign.failed).toBe(true)
})

test.for(['tls', 'plait'])('%s failing ends the run', async (peer) => {
  const run = (): Promise<PairResult> => Promise.reject(new Error('it broke'))
  const campaign = new Campaign({ peers: [peer], repeat: 1, scale: 1 }, run, installed)
  await expect(campaign.measure('W1')).rejects.toThrow(`W1 over ${peer}: it broke`)
})
