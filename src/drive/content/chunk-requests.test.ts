import { expect, it } from 'vitest'
import { encodeHex } from '../../base/bytes.ts'
import type { Chunk, ChunkName } from '../../feed/chunk-api.ts'
import { ChunkRequests } from './chunk-requests.ts'

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const names = (...bytes: readonly number[]): readonly ChunkName[] =>
  bytes.map((byte) => ({ hash: hash(byte), length: 1 }))
const { signal } = new AbortController()

/** Others who are asked, and answer when they are told to. */
class Upstream {
  readonly asked: (readonly number[])[] = []
  readonly signals: AbortSignal[] = []
  readonly #resolves: (() => void)[] = []
  #failure: Error | undefined
  readonly #turns: (() => void)[] = []
  readonly requests = new ChunkRequests((wanted, options) => this.#chunks(wanted, options), {
    endOfTurn: (run) => void this.#turns.push(run),
  })

  endTurn(): void {
    for (const run of this.#turns.splice(0)) run()
  }

  answer(failure?: Error): void {
    this.#failure = failure
    for (const resolve of this.#resolves.splice(0)) resolve()
  }

  /** Who has byte 9 is unknown to all. */
  async *#chunks(wanted: readonly ChunkName[], options: { readonly signal: AbortSignal }): AsyncGenerator<Chunk> {
    this.asked.push(wanted.map((name) => name.hash[0] as number))
    this.signals.push(options.signal)
    await new Promise<void>((resolve) => this.#resolves.push(resolve))
    if (this.#failure !== undefined) throw this.#failure
    for (const { hash } of wanted) if (hash[0] !== 9) yield { hash, bytes: hash.slice(0, 1) }
  }
}

async function bytesOf(chunks: AsyncIterable<Chunk>): Promise<string> {
  const found: string[] = []
  for await (const { bytes } of chunks) found.push(encodeHex(bytes))
  return found.sort().join()
}

it('asks once in a turn, and once for what several want', async () => {
  const upstream = new Upstream()
  const { requests } = upstream
  const first = bytesOf(requests.fetch(names(1, 2), { signal }))
  const second = bytesOf(requests.fetch(names(2, 3, 3), { signal }))
  upstream.endTurn()
  const late = bytesOf(requests.fetch(names(3, 4), { signal }))
  upstream.endTurn()
  expect(upstream.asked).toEqual([[1, 2, 3], [4]])
  upstream.answer()
  expect(await Promise.all([first, second, late])).toEqual(['01,02', '02,03', '03,04'])
  const again = bytesOf(requests.fetch(names(1), { signal }))
  upstream.endTurn()
  upstream.answer()
  expect(await again).toBe('01')
  expect(upstream.asked.at(-1)).toEqual([1])
})

it('ends without what nobody has', async () => {
  const upstream = new Upstream()
  const both = [names(1, 9), names(9)].map((wanted) => bytesOf(upstream.requests.fetch(wanted, { signal })))
  upstream.endTurn()
  upstream.answer()
  expect(await Promise.all(both)).toEqual(['01', ''])
})

it('tells all who waited when others cannot be asked', async () => {
  const upstream = new Upstream()
  const reason = new Error('closed')
  const both = Promise.allSettled(
    [names(1), names(1, 2)].map((wanted) => bytesOf(upstream.requests.fetch(wanted, { signal }))),
  )
  upstream.endTurn()
  upstream.answer(reason)
  expect(await both).toEqual([1, 2].map(() => ({ status: 'rejected', reason })))
})

it('goes on for the others when one gives up, and ends when all have', async () => {
  const upstream = new Upstream()
  const [one, other] = [new AbortController(), new AbortController()]
  const reason = new Error('enough')
  const first = bytesOf(upstream.requests.fetch(names(1, 2), { signal: one.signal }))
  const second = bytesOf(upstream.requests.fetch(names(2), { signal: other.signal }))
  upstream.endTurn()
  one.abort(reason)
  await expect(first).rejects.toBe(reason)
  expect(upstream.signals.map(({ aborted }) => aborted)).toEqual([false])
  other.abort(reason)
  await expect(second).rejects.toBe(reason)
  expect(upstream.signals.map(({ aborted }) => aborted)).toEqual([true])
  const early = bytesOf(upstream.requests.fetch(names(5), { signal: AbortSignal.abort(reason) }))
  await expect(early).rejects.toBe(reason)
})

it('keeps apart what is said to have different lengths, and takes up in the same turn what was given up', async () => {
  const upstream = new Upstream()
  const lie = new AbortController()
  const lying = bytesOf(upstream.requests.fetch([{ hash: hash(1), length: 7 }], { signal: lie.signal }))
  const honest = bytesOf(upstream.requests.fetch(names(1, 2), { signal }))
  const careless = bytesOf(upstream.requests.fetch([{ hash: hash(3) }], { signal }))
  const left = new AbortController()
  const leaving = bytesOf(upstream.requests.fetch(names(4), { signal: left.signal }))
  await Promise.resolve()
  left.abort(new Error('left'))
  await expect(leaving).rejects.toThrow('left')
  const taking = bytesOf(upstream.requests.fetch(names(4), { signal }))
  upstream.endTurn()
  expect(upstream.asked).toEqual([[1], [1, 2, 3], [4]])
  upstream.answer()
  expect(await Promise.all([honest, careless, taking])).toEqual(['01,02', '03', '04'])
  expect(await lying).toBe('')
})
