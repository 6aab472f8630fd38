import { contents } from '../../src/message/codec.ts'
import { encodings, kinds } from '../../src/message/frame.ts'
import type { Process, SeededRandom } from '../../src/testing/index.ts'
import { bomb } from './message-types.ts'
import type { RawMessages, Saying } from './raw-messages.ts'

type Answer = (say: (kind: (typeof kinds)[keyof typeof kinds], saying?: Saying) => void) => void

const text = new TextEncoder().encode('what you want to hear')
const right = { content: contents.utf8, payload: text }
const item = { content: contents.json, payload: new TextEncoder().encode('7') }

/** Wrong answers to a request, and right ones too often. */
const answers: readonly Answer[] = [
  (say) => say(kinds.response, right),
  () => {},
  (say) => {
    say(kinds.response, right)
    say(kinds.response, right)
  },
  (say) => say(kinds.response, { content: 200, payload: text }),
  (say) => say(kinds.response, { ...right, encoding: encodings.gzip, payload: bomb }),
  (say) => say(kinds.response, { ...right, encoding: encodings.zstd }),
  (say) => say(kinds.data, item),
  (say) => say(kinds.end, { op: 1 }),
  (say) => say(kinds.credit, { op: 100 }),
  (say) => {
    say(kinds.reset, { payload: text })
    say(kinds.response, right)
  },
]

/** Wrong ways to serve a stream. */
const services: readonly Answer[] = [
  () => {},
  (say) => say(kinds.response, right),
  (say) => {
    for (let index = 0; index < 40; index += 1) say(kinds.data, { ...item, payload: new Uint8Array(1_000).fill(0x20) })
  },
  (say) => {
    say(kinds.data, item)
    say(kinds.data, { ...item, content: 200 })
  },
  (say) => say(kinds.data, { ...item, encoding: encodings.gzip, payload: bomb }),
  (say) => {
    say(kinds.end)
    say(kinds.end)
  },
  (say) => {
    say(kinds.end, { op: 1 })
    say(kinds.data, item)
  },
  (say) => {
    say(kinds.end)
    say(kinds.reset, { payload: text })
    say(kinds.reset)
  },
  (say) => say(kinds.credit, { op: 0 }),
  (say) => {
    say(kinds.credit, { op: Number.MAX_SAFE_INTEGER })
    say(kinds.credit, { op: Number.MAX_SAFE_INTEGER })
  },
  (say) => {
    for (let number = 0; number < 20; number += 1) say(kinds.data, item)
    say(kinds.end)
  },
]

/** Serves a circuit as nobody should: each exchange in a way of its own, now or later. */
export function misanswer(wire: RawMessages, random: SeededRandom, { runtime }: Process): void {
  wire.onHeard = ({ kind, number, initiator }) => {
    if (!initiator || (kind !== kinds.request && kind !== kinds.open)) return
    const answer = random.pick(kind === kinds.request ? answers : services)
    const run = (): void => answer((said, saying = {}) => wire.say(said, number, { ...saying, isTheirs: true }))
    if (random.chance(0.5)) run()
    else runtime.timers.after(random.logarithmic(1, 500), run)
  }
}
