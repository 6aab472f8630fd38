import { gzipSync } from 'node:zlib'
import type { Limits } from '../../src/base/limits.ts'
import { bytes } from '../../src/message/codecs/bytes.ts'
import { json } from '../../src/message/codecs/json.ts'
import { utf8 } from '../../src/message/codecs/utf8.ts'
import { defineMessage, type MessageType } from '../../src/message/define-message.ts'

export interface Question {
  readonly question: string
  readonly afterMs: number
  /** The answer is made longer by so much. */
  readonly paddingBytes: number
}

/** Answered with the question, an exclamation mark and the padding, after a while. */
export const Ask: MessageType<Question, string> = defineMessage({
  id: 4_096,
  name: 'ask',
  request: json<Question>(),
  response: utf8(),
})

/** As a post: a number that rises by 1 with each. As a stream: numbers that rise by 1, sent back. */
export const Count: MessageType<number, number> = defineMessage({ id: 4_097, name: 'count', request: json<number>() })

/** Nobody answers, and nobody reads. */
export const Hold: MessageType<Uint8Array, Uint8Array> = defineMessage({ id: 4_098, name: 'hold', request: bytes() })

/** Nobody serves it. */
export const unknownId = 5_000

/** What the nodes of these worlds allow. */
export const messageLimits: Pick<Limits, 'requestsWaiting' | 'requestsInFlight' | 'inflatedBytes'> = {
  requestsWaiting: 3,
  requestsInFlight: 16,
  inflatedBytes: 64 * 1024,
}

/** More, when it is unpacked, than they allow. */
export const bomb: Uint8Array = new Uint8Array(gzipSync(new Uint8Array(256 * 1024)))
