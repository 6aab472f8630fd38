import { Malformed } from './byte-reader.ts'
import { splitFrames } from './frames.ts'
import type { Frame } from './frames.ts'
import { decodeError, decodeHello, decodeReady, decodeResume } from './messages.ts'
import type { Hello, Ready, Resume, WireError } from './messages.ts'
import { hexOf, other, sameBytes } from './recording.ts'
import type { RecordedLink, Side } from './recording.ts'

/** What one side has said on a link before the session, and what follows. */
export interface Words {
  readonly hello: Hello | undefined
  readonly resume: Resume | undefined
  readonly isReady: boolean
  readonly early: readonly Frame[]
  readonly rest: readonly Frame[]
  readonly goAway: WireError | undefined
  /** Bytes of a frame that was cut off. */
  readonly restBytes: number
}

export type Agreement =
  | { readonly kind: 'new'; readonly sessionId: string }
  /** With how many numbered frames each side has taken. */
  | { readonly kind: 'resumed'; readonly sessionId: string; readonly taken: Readonly<Record<Side, number>> }

export interface Handshake {
  readonly words: Readonly<Record<Side, Words>>
  readonly agreement: Agreement | undefined
}

const early: readonly string[] = ['HELLO', 'READY', 'RESUME']

/** PROTOCOL.md, "The handshake". */
export function decodeHandshake(link: RecordedLink): Handshake {
  const words = { a: wordsOf(link, 'a'), b: wordsOf(link, 'b') }
  for (const side of ['a', 'b'] as const) {
    const { hello, resume } = words[side]
    if (resume === undefined) continue
    const remote = words[other(side)].hello
    if (hello === undefined || !sameBytes(resume.epoch, hello.epoch)) throw new Malformed('a RESUME of another run')
    if (remote !== undefined && !sameBytes(resume.remoteEpoch, remote.epoch))
      throw new Malformed('a RESUME to another run')
  }
  return { words, agreement: agreementOf(link, words.a, words.b) }
}

function wordsOf(link: RecordedLink, side: Side): Words {
  const { frames, restBytes } = splitFrames(link.said[side])
  const firstLater = frames.findIndex(({ name }) => !early.includes(name))
  const count = firstLater < 0 ? frames.length : firstLater
  const said = frames.slice(0, count)
  const rest = frames.slice(count)
  const [hello, ...words] = said
  if (hello === undefined ? rest.some(({ name }) => name !== 'GOAWAY') : hello.name !== 'HELLO')
    throw new Malformed('a link that does not begin with HELLO')
  const order = words.map(({ name }) => name).join(' ')
  if (!['', 'READY', 'RESUME', 'RESUME READY'].includes(order)) throw new Malformed(`the words ${order}`)
  checkSizes(said)
  const resume = words[0]?.name === 'RESUME' ? decodeResume(words[0].body) : undefined
  const ready = words.at(-1)?.name === 'READY' ? decodeReady((words.at(-1) as Frame).body) : undefined
  for (const proof of [resume, ready]) if (proof !== undefined) checkProof(proof, link, side)
  const farewell = rest.findIndex(({ name }) => name === 'GOAWAY')
  if (farewell >= 0 && farewell < rest.length - 1) throw new Malformed('something behind a GOAWAY')
  return {
    hello: hello && decodeHello(hello.body),
    resume,
    isReady: ready !== undefined,
    early: said,
    rest,
    goAway: farewell < 0 ? undefined : decodeError((rest[farewell] as Frame).body),
    restBytes,
  }
}

function checkSizes(frames: readonly Frame[]): void {
  if (frames.some(({ body }) => body.length > 4_096)) throw new Malformed('a frame of more than 4 KiB before ready')
  if (frames.reduce((sum, { length }) => sum + length, 0) > 16_384) throw new Malformed('too much before ready')
}

function checkProof(proof: Ready, link: RecordedLink, side: Side): void {
  if (proof.role === (side === link.dialler ? 1 : 2) && sameBytes(proof.binding, link.binding)) return
  throw new Malformed('a proof that is not that of this side of this link')
}

function agreementOf(link: RecordedLink, a: Words, b: Words): Agreement | undefined {
  if (a.isReady && b.isReady) return { kind: 'new', sessionId: hexOf(link.binding.subarray(0, 16)) }
  if (a.isReady || b.isReady || a.resume === undefined || b.resume === undefined) return undefined
  if (!sameBytes(a.resume.sessionId, b.resume.sessionId)) throw new Malformed('a RESUME of one session for another')
  const taken = { a: a.resume.receivedFrames, b: b.resume.receivedFrames }
  return { kind: 'resumed', sessionId: hexOf(a.resume.sessionId), taken }
}
