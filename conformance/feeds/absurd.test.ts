import { expect, it, onTestFinished } from 'vitest'
import { createNode, parseFeedId } from 'plait'
import type { Circuit, FeedId } from 'plait'
import { concatBytes } from '../../src/base/bytes.ts'
import { writeVarint } from '../../src/base/varint.ts'
import { feedTag } from '../../src/feed/feed-tag.ts'
import { encodeFeedMessage, feedOps } from '../../src/feed/messages.ts'
import { sha256 } from '../../src/feed/node/sha256.ts'
import { publicKeyFromNodeId, type NodeId } from '../../src/identity/node-id.ts'
import { count, fullCounts, withinMs } from '../counts.ts'
import { Far, makeFolder } from './far.ts'

const MiB = 1024 * 1024

/** LEB128 numbers one behind the other, whatever they would mean. */
function numbers(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8)
  return bytes.subarray(
    0,
    values.reduce((at, value) => writeVarint(bytes, at, value), 0),
  )
}

/** A circuit on which the feed is shared, by somebody who speaks by hand. */
async function shareByHand(address: string, id: FeedId): Promise<Circuit> {
  const node = await createNode({ resumeMs: 0 })
  onTestFinished(() => node.close())
  const circuit = await node.peer('by hand').open(`${address}/plait.feeds/feeds`)
  const { localId, remoteId, sessionId } = circuit.context
  const ids = [localId, remoteId].sort().map((one) => publicKeyFromNodeId(one as NodeId))
  const role = localId < remoteId ? 'chair' : 'guest'
  const tag = feedTag(sha256, parseFeedId(id).name, concatBytes([sessionId, ...ids]), role)
  circuit.send({ op: feedOps.open, payload: encodeFeedMessage('open', { feed: 0, tag }) })
  // It says its head as soon as both know the feed.
  while ((await circuit.read())?.op !== feedOps.head);
  return circuit
}

const huge = 2 ** 53 - 1
const hash = new Uint8Array(32).fill(1)

const claims: Record<string, (circuit: Circuit) => unknown> = {
  'a head of 2^53 blocks': (circuit) =>
    void circuit.send({ op: feedOps.head, payload: concatBytes([numbers(0, 0, huge, huge), hash, numbers(0, 0, 0)]) }),
  'blocks up to 2^53': (circuit) => void circuit.send({ op: feedOps.have, payload: numbers(0, 1, huge - 1, 1) }),
  'blocks beyond the head': (circuit) =>
    void circuit.send({ op: feedOps.have, payload: encodeFeedMessage('have', { feed: 0, runs: [0, 2 ** 40] }) }),
  'two billion blocks in a few bytes': (circuit) =>
    void circuit.send({ op: feedOps.data, payload: numbers(0, 1, 2 ** 31, 1, 1, 1) }),
  'a block of 2 GiB': (circuit) => void circuit.send({ op: feedOps.data, payload: numbers(0, 1, 1, 2 ** 31) }),
  'two billion nodes': (circuit) =>
    void circuit.send({ op: feedOps.proof, payload: numbers(0, 1, 0, 3, 0, 1, 0, 3, 0, 2 ** 31) }),
  'two billion chunks that it wants': (circuit) =>
    void circuit.send({ op: feedOps.fetch, payload: numbers(0, 1, huge, 2 ** 31) }),
  'a chunk of 2 GiB': (circuit) => void circuit.send({ op: feedOps.chunks, payload: numbers(0, 1, 1, 1, 2 ** 31) }),
  'a million alternating ranges that it wants': async (circuit) => {
    for (let index = 0; index < count(1_000_000, 40_000) && circuit.state === 'open'; index += 1) {
      const start = index * 2_048
      const payload = encodeFeedMessage('want', { feed: 0, start, end: start + 1 })
      if (!circuit.send({ op: feedOps.want, payload })) await circuit.ready().catch(() => {})
    }
  },
  'a request for everything, again and again, of which it takes nothing': async (circuit) => {
    for (let request = 1; request <= count(100_000, 5_000) && circuit.state === 'open'; request += 1) {
      const value = { feed: 0, request, fork: 0, known: 0, runs: [0, 2 ** 48], bytes: huge }
      const payload = encodeFeedMessage('request', value)
      if (!circuit.send({ op: feedOps.request, payload })) await circuit.ready().catch(() => {})
    }
    circuit.pause()
  },
}

const manyChunks = 'a request for many chunks, again and again, of which it takes nothing'
claims[manyChunks] = async (circuit) => {
  const chunks = { hashes: new Uint8Array(1_024 * 32), lengths: Array.from({ length: 1_024 }, () => undefined) }
  for (let request = 1; request <= count(10_000, 500) && circuit.state === 'open'; request += 1) {
    const payload = encodeFeedMessage('fetch', { feed: 0, request, bytes: huge, packings: 0, chunks })
    if (!circuit.send({ op: feedOps.fetch, payload })) await circuit.ready().catch(() => {})
  }
  circuit.pause()
}

/** For so long what a patient one does may pile up. */
const patienceMs = fullCounts ? 3_000 : 1_500

/** Those that ask for nothing that cannot be: they are answered, and held up. */
const patient = new Set(['a request for everything, again and again, of which it takes nothing', manyChunks])

it.each(Object.entries(claims))(
  'F4b %s costs a holder next to nothing, and ends who claims it',
  async (name, claim) => {
    const [target, reader] = await Promise.all([Far.start(makeFolder()), Far.start(makeFolder())])
    const id = await target.ask<FeedId>('create', { count: 3, bytes: 100 })
    const circuit = await shareByHand(target.address, id)
    await target.facts()
    const before = await target.facts()
    claim(circuit)
    // How long a machine takes to end somebody is a matter of its work; who is held up stays so.
    const waitMs = patient.has(name) ? patienceMs : withinMs(3_000)
    const end = await Promise.race([circuit.closed, new Promise((resolve) => setTimeout(resolve, waitMs))])
    const after = await target.facts()
    if (!patient.has(name))
      expect(end).toMatchObject({ error: { code: expect.stringMatching(/PROTOCOL|LIMIT|CORRUPT/) as string } })
    expect(after.held - before.held).toBeLessThan(16 * MiB)
    process.stdout.write(
      `${name}: ${((after.held - before.held) / MiB).toFixed(1)} MiB, ${after.stallMs.toFixed(0)} ms\n`,
    )
    if (fullCounts) expect(after.stallMs).toBeLessThan(50)
    await reader.ask('open', { id })
    await reader.ask('connect', { address: target.address })
    expect(await reader.ask('complete', { id, length: 3 })).toMatchObject({ held: 3 })
  },
)
