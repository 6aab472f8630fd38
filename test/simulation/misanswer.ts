import { contents } from '../../src/message/codec.ts'
import { encodings, kinds, type Kind } from '../../src/message/frame.ts'
import type { Process, SeededRandom } from '../../src/testing/index.ts'
import { bomb } from './message-types.ts'
import type { RawMessages, Saying } from './raw-messages.ts'

type Say = (kind: Kind, saying?: Saying) => void

/** Says something on an exchange; true when that counts for its last word, or ends it. */
type Answer = (say: Say) => boolean

const text = new TextEncoder().encode('what you want to hear')
const right = { content: contents.utf8, payload: text }
const item = { content: contents.json, payload: new TextEncoder().encode('7') }

/** Wrong answers to a request, and right ones too often. */
const answers: readonly Answer[] = [
  () => false,
  saying([kinds.response, right]),
  saying([kinds.response, right], [kinds.response, right]),
  saying([kinds.response, { content: 200, payload: text }]),
  saying([kinds.response, { ...right, encoding: encodings.gzip, payload: bomb }]),
  saying([kinds.response, { ...right, encoding: encodings.zstd }]),
  saying([kinds.data, item]),
  saying([kinds.end, { op: 1 }]),
  saying([kinds.credit, { op: 100 }]),
  saying([kinds.reset, { payload: text }], [kinds.response, right]),
]

/** Wrong ways to serve a stream. */
const services: readonly Answer[] = [
  () => false,
  saying([kinds.response, right]),
  (say) => {
    for (let index = 0; index < 40; index += 1) say(kinds.data, { ...item, payload: new Uint8Array(1_000).fill(0x20) })
    return false
  },
  (say) => !saying([kinds.data, item], [kinds.data, { ...item, content: 200 }])(say),
  (say) => !saying([kinds.data, { ...item, encoding: encodings.gzip, payload: bomb }])(say),
  saying([kinds.end], [kinds.end]),
  saying([kinds.end, { op: 1 }], [kinds.data, item]),
  saying([kinds.end], [kinds.reset, { payload: text }], [kinds.reset]),
  saying([kinds.credit, { op: 0 }]),
  saying([kinds.credit, { op: Number.MAX_SAFE_INTEGER }], [kinds.credit, { op: Number.MAX_SAFE_INTEGER }]),
  saying(...Array.from({ length: 20 }, () => [kinds.data, item] as const), [kinds.end]),
]

/** Serves a circuit as nobody should: each exchange in a way of its own, now or later. */
export function misanswer(wire: RawMessages, random: SeededRandom, { runtime }: Process): void {
  wire.onHeard = ({ kind, number, initiator }) => {
    if (!initiator || (kind !== kinds.request && kind !== kinds.open)) return
    const answer = random.pick(kind === kinds.request ? answers : services)
    const say: Say = (said, how = {}) => wire.say(said, number, { ...how, isTheirs: true })
    const run = (): void => {
      if (!answer(say)) runtime.timers.after(random.logarithmic(100, 20_000), () => say(kinds.reset))
    }
    if (random.chance(0.5)) run()
    else runtime.timers.after(random.logarithmic(1, 500), run)
  }
}

function saying(...words: readonly (readonly [kind: Kind, saying?: Saying])[]): Answer {
  return (say) => {
    for (const [kind, how] of words) say(kind, how)
    return true
  }
}
