import { PlaitError } from 'plait'
import type { Circuit, FragmentFields, NodeStats } from 'plait'
import type { PathConditions } from 'plait/testing'
import type { Side } from './recording.ts'
import { Stage } from './stage.ts'

/** Everything that a fragment can have. */
export const everyField: FragmentFields = {
  op: -300,
  subject: 'naïve \uFEFF\u{1F9F5}',
  part: -(2 ** 53 - 1),
  args: { path: 'a/b', empty: '', ключ: 'значение' },
  payload: Uint8Array.of(0, 255, 1),
}

export const complaint: FragmentFields = {
  op: 7,
  error: { code: 4_097, message: 'no such page', facts: { page: 12, of: -3, isLast: false, name: 'β', far: 2 ** 40 } },
}

/** What the applications know of the play. */
export interface Play {
  readonly stage: Stage
  /** Circuits of which both sides have read everything, by number. */
  readonly whole: readonly number[]
  readonly closedByA: number
  readonly abortedByB: number
  readonly startedUrl: string
  readonly resumes: number
  readonly stats: Readonly<Record<Side, NodeStats>>
}

const rounds = 3

/** A session with everything in it: circuits both ways, two cuts in the midst of large fragments, refusals, every kind of end. */
export async function play(seed: number, conditions: Partial<PathConditions>): Promise<Play> {
  const stage = await new Stage(seed, conditions).ready()
  const { world } = stage
  const taken: Record<Side, Circuit[]> = { a: [], b: [] }
  for (const side of ['a', 'b'] as const) {
    stage.node(side).register('desk', { open: 'anyone', start: 'anyone', version: 3 }, async (peer) => {
      for await (const circuit of peer.incoming) {
        taken[side].push(circuit)
        void stage.collect(side, circuit).catch(() => {})
      }
    })
  }
  const near = await stage.open('a', 'desk', everyField)
  const far = taken.b[0] as Circuit
  const back = await stage.open('b', 'desk')
  for (const [side, circuit] of [
    ['a', near],
    ['b', back],
  ] as const)
    void stage.collect(side, circuit).catch(() => {})

  for (let round = 0; round < rounds; round += 1) {
    for (let part = 1; part <= 40; part += 1) {
      stage.send('a', near, { op: round, part, payload: pattern(part * 37, part) })
      stage.send('b', far, { op: round, part })
    }
    stage.send('a', near, complaint, { subject: 'large', payload: pattern(400_000, round) })
    stage.send('b', back, { args: { many: 'x'.repeat(4_000) }, payload: pattern(100_000, round) }, everyField, {})
    await world.run(world.now + 180 + round * 120)
    if (round + 1 < rounds) world.cut('a', 'b')
  }
  await world.run(world.now + 8_000)
  const resumes = stage.node('a').snapshot().sessions[0]?.resumes ?? 0

  near.end()
  stage.send('b', far, { subject: 'after your end' })
  far.end()
  await world.settle(near.closed)
  for (const [service, version] of [
    ['nowhere', 3],
    ['desk', 9],
  ] as const)
    await refusal(stage, service, version)
  const startedUrl = await world.settle(stage.node('a').startRemote(stage.address('b'), 'desk'))
  const closed = await stage.open('a', 'desk', { op: 1 })
  await world.settle(closed.close({ code: 28, message: 'disk full' }))
  const aborted = await stage.open('a', 'desk', { op: 2 })
  const abortedFar = taken.b.at(-1) as Circuit
  abortedFar.abort(new PlaitError('SERVICE_FAILED', 'out of paper', { facts: { sheets: 0 } }))
  await world.settle(aborted.closed)
  await world.settle(back.close())
  const stats = { a: stage.node('a').stats(), b: stage.node('b').stats() }
  await world.settle(stage.node('b').close())
  await world.run(world.now + 1_000)
  const whole = [near.id, back.id]
  return { stage, whole, closedByA: closed.id, abortedByB: aborted.id, startedUrl, resumes, stats }
}

async function refusal(stage: Stage, service: string, version: number): Promise<void> {
  const url = `${stage.address('b')}/${service}`
  const opening = stage.node('a').peer('caller').open(url, { op: 5 }, { version })
  const outcome = await stage.world.settle(
    opening.then(
      () => undefined,
      (error: unknown) => error,
    ),
  )
  if (!PlaitError.is(outcome)) throw new Error(`${url} was not refused`)
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7) & 255)
}
