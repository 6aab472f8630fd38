import { contents } from '../../src/message/codec.ts'
import { encodings, kinds, packHeader, type Kind } from '../../src/message/frame.ts'
import { ping } from '../../src/message/system.ts'
import type { SeededRandom } from '../../src/testing/index.ts'
import { Ask, bomb, Count, Hold, messageLimits, unknownId } from './message-types.ts'
import type { RawMessages } from './raw-messages.ts'

/** What a heckle works with. */
export interface Stage {
  readonly wire: RawMessages
  readonly random: SeededRandom
  /** A violation, and false, unless it comes true in time; false without one when something has happened to the circuit. */
  readonly expect: (what: string, isDone: () => boolean) => Promise<boolean>
}

/** Something that no honest end says. `run` resolves to whether the other end has done what it owes. */
export interface Heckle {
  /** It is wrong with the circuit as a whole, which ends. Else that goes on. */
  readonly ends: boolean
  readonly run: (stage: Stage) => Promise<boolean>
}

export const heckles: Readonly<Record<string, Heckle>> = {
  saysUnknownKind: { ends: true, run: saysUnknownKind },
  usesNumberTwice: { ends: true, run: usesNumberTwice },
  beginsForOthers: { ends: true, run: beginsForOthers },
  answersNeverBegun: { ends: true, run: answersNeverBegun },
  asksForNonsenseDeadline: { ends: true, run: asksForNonsenseDeadline },
  overdraws: { ends: false, run: overdraws },
  endsTwice: { ends: false, run: endsTwice },
  creditsNonsense: { ends: false, run: creditsNonsense },
  answersItself: { ends: false, run: answersItself },
  goesOnAfterRequest: { ends: false, run: goesOnAfterRequest },
  asksForUnknown: { ends: false, run: asksForUnknown },
  sendsGarbage: { ends: false, run: sendsGarbage },
  sendsBombs: { ends: false, run: sendsBombs },
  asksTooMuch: { ends: false, run: asksTooMuch },
  isTooLate: { ends: false, run: isTooLate },
  resetsAfterLastWord: { ends: false, run: resetsAfterLastWord },
  postsGarbage: { ends: false, run: postsGarbage },
}

const garbage = Uint8Array.of(0x7b, 0xff, 0x00)
const one = new TextEncoder().encode('1')

async function saysUnknownKind({ wire, random }: Stage): Promise<boolean> {
  const header = packHeader(0, true, wire.number(), 0)
  wire.send({ part: random.pick([header + random.integer(8, 15), header + 0x80, -header]) })
  return true
}

async function usesNumberTwice({ wire, random }: Stage): Promise<boolean> {
  const earlier = wire.number()
  const number = wire.number()
  wire.say(kinds.request, number, { op: ping.id })
  wire.say(random.pick([kinds.request, kinds.open]), random.pick([number, earlier, 0]), { op: ping.id })
  return true
}

async function beginsForOthers({ wire, random }: Stage): Promise<boolean> {
  wire.say(random.pick([kinds.request, kinds.open]), wire.number(), { op: ping.id, isTheirs: true })
  return true
}

async function answersNeverBegun({ wire, random }: Stage): Promise<boolean> {
  const kind = random.pick([kinds.response, kinds.data, kinds.end, kinds.reset, kinds.credit])
  wire.say(kind, random.pick([0, 1, 1_000, 2 ** 36]), { isTheirs: random.chance(0.5) })
  return true
}

async function asksForNonsenseDeadline({ wire, random }: Stage): Promise<boolean> {
  const deadline = random.pick(['0', '-1', '01', '1e3', '', '99999999999', 'soon'])
  wire.say(kinds.request, wire.number(), { op: ping.id, deadline })
  return true
}

/** More of a stream that nobody reads than there is credit for. */
async function overdraws(stage: Stage): Promise<boolean> {
  const number = begin(stage, kinds.open)
  for (let index = 0; index < 40; index += 1) stage.wire.say(kinds.data, number, { payload: new Uint8Array(1_000) })
  return expectReset(stage, number, 'PROTOCOL')
}

async function endsTwice(stage: Stage): Promise<boolean> {
  const { wire, random } = stage
  const number = begin(stage, kinds.open)
  wire.say(kinds.end, number)
  wire.say(random.pick([kinds.end, kinds.data]), number)
  return expectReset(stage, number, 'PROTOCOL')
}

async function creditsNonsense(stage: Stage): Promise<boolean> {
  const number = begin(stage, stage.random.pick([kinds.open, kinds.request]))
  stage.wire.say(kinds.credit, number, { op: stage.random.pick([0, -5, Number.MAX_SAFE_INTEGER]) })
  return expectReset(stage, number, 'PROTOCOL')
}

async function answersItself(stage: Stage): Promise<boolean> {
  const number = begin(stage, stage.random.pick([kinds.open, kinds.request]))
  stage.wire.say(kinds.response, number)
  return expectReset(stage, number, 'PROTOCOL')
}

/** A request is the last word of who asks. */
async function goesOnAfterRequest(stage: Stage): Promise<boolean> {
  const number = begin(stage, kinds.request)
  stage.wire.say(stage.random.pick([kinds.data, kinds.end]), number)
  return expectReset(stage, number, 'PROTOCOL')
}

async function asksForUnknown(stage: Stage): Promise<boolean> {
  const { wire, random } = stage
  const number = wire.number()
  const isType = random.chance(0.5)
  const saying = isType ? { op: unknownId } : { op: random.pick([Ask.id, Hold.id]), content: 200 }
  wire.say(kinds.request, number, saying)
  const stream = wire.number()
  wire.say(kinds.open, stream, isType ? { op: unknownId } : { op: Hold.id, content: 200 })
  const code = isType ? 'NO_HANDLER' : 'UNKNOWN_CODEC'
  return (await expectReset(stage, number, code)) && expectReset(stage, stream, code)
}

/** Nothing that a codec can read, and what a handler does not expect. */
async function sendsGarbage(stage: Stage): Promise<boolean> {
  const { wire, random } = stage
  const number = wire.number()
  const payload = random.pick([garbage, new TextEncoder().encode('null')])
  wire.say(kinds.request, number, { op: Ask.id, content: contents.json, payload })
  const stream = wire.number()
  wire.say(kinds.open, stream, { op: Count.id, content: contents.json, payload: one })
  wire.say(kinds.data, stream, random.pick([{ content: contents.json, payload: garbage }, { content: contents.cbor }]))
  return (
    (await expectReset(stage, number, 'INVALID_MESSAGE', 'HANDLER_FAILED')) &&
    expectReset(stage, stream, 'INVALID_MESSAGE', 'UNKNOWN_CODEC')
  )
}

/** Small when they cross, large when they are unpacked; and what is not packed as it says. */
async function sendsBombs(stage: Stage): Promise<boolean> {
  const { wire, random } = stage
  const [encoding, payload] = random.pick([
    [encodings.gzip, bomb],
    [encodings.gzip, garbage],
    [encodings.brotli, bomb],
    [encodings.zstd, bomb],
  ] as const)
  const number = wire.number()
  wire.say(kinds.request, number, { op: Hold.id, encoding, payload })
  const stream = wire.number()
  wire.say(kinds.open, stream, { op: Count.id, content: contents.json, payload: one })
  wire.say(kinds.data, stream, { content: contents.json, encoding, payload })
  const codes = ['LIMIT', 'UNKNOWN_CODEC', 'INVALID_MESSAGE']
  return (await expectReset(stage, number, ...codes)) && expectReset(stage, stream, ...codes)
}

/** More than may live at once; then all of it is given up. */
async function asksTooMuch(stage: Stage): Promise<boolean> {
  const { wire, random, expect } = stage
  const begun = Array.from({ length: messageLimits.requestsInFlight }, () => begin(stage, kinds.request))
  const excess = Array.from({ length: random.integer(1, 30) }, () => begin(stage, kinds.request))
  if (!(await expect('BUSY for what is too much', () => excess.every((number) => wire.isReset(number, 'BUSY')))))
    return false
  for (const number of begun) wire.say(kinds.reset, number)
  // What a reset says is its sender's affair.
  return expect('an end of all that was given up', () => begun.every((number) => wire.of(number).length === 1))
}

/** What nobody answers in time. */
async function isTooLate(stage: Stage): Promise<boolean> {
  const { wire, random } = stage
  const number = wire.number()
  wire.say(random.pick([kinds.request, kinds.open]), number, { op: Hold.id, deadline: String(random.integer(1, 300)) })
  return expectReset(stage, number, 'TIMEOUT')
}

/** What comes of an exchange that is over is dropped. */
async function resetsAfterLastWord(stage: Stage): Promise<boolean> {
  const { wire, random, expect } = stage
  const stream = begin(stage, kinds.open)
  wire.say(kinds.end, stream)
  wire.say(kinds.reset, stream, { payload: random.pick([garbage, new Uint8Array(0)]) })
  const number = wire.number()
  wire.say(kinds.request, number, { op: ping.id })
  const isOver = (): boolean => [stream, number].every((begun) => wire.of(begun).length === 1)
  if (!(await expect('a last word each', isOver))) return false
  for (const kind of random.shuffle([kinds.reset, kinds.reset, kinds.end, kinds.data, kinds.credit, kinds.response]))
    wire.say(kind, random.pick([stream, number]))
  return true
}

async function postsGarbage({ wire }: Stage): Promise<boolean> {
  const content = contents.json
  wire.say(kinds.post, 0, { op: unknownId, payload: garbage })
  wire.say(kinds.post, 0, { op: Count.id, content, payload: garbage })
  wire.say(kinds.post, 0, { op: Count.id, content: 200, payload: garbage })
  wire.say(kinds.post, 0, { op: Count.id, content, encoding: encodings.gzip, payload: bomb })
  // Settings that say nothing.
  wire.say(kinds.post, 0, { op: 4, content, payload: garbage })
  return true
}

/** Something that goes on until it is ended. */
function begin({ wire }: Stage, kind: Kind): number {
  const number = wire.number()
  wire.say(kind, number, { op: Hold.id })
  return number
}

function expectReset({ wire, expect }: Stage, number: number, ...codes: readonly string[]): Promise<boolean> {
  return expect(`exchange ${number} to be ended with ${codes.join(' or ')}`, () => wire.isReset(number, ...codes))
}
