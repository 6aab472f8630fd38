import { cbor } from '../../src/message/codecs/cbor.ts'
import { bytes } from '../../src/message/codecs/bytes.ts'
import { json } from '../../src/message/codecs/json.ts'
import { utf8 } from '../../src/message/codecs/utf8.ts'
import { defineMessage } from '../../src/message/define-message.ts'
import type { MessageType } from '../../src/message/define-message.ts'
import { kinds, packHeader, unpackHeader } from '../../src/message/frame.ts'
import type { Kind, MessageHeader } from '../../src/message/frame.ts'
import { MessageSection } from '../../src/message/message-stats.ts'
import type { MessageStats } from '../../src/message/message-stats.ts'
import type { Messenger, MessengerOptions } from '../../src/message/messenger-api.ts'
import { messenger } from '../../src/message/messenger.ts'
import { joinCircuits } from '../../src/testing/joined-circuits.ts'
import type { JoinedCircuits, JoinedCircuitsOptions } from '../../src/testing/joined-circuits.ts'

export const Echo: MessageType<Uint8Array, Uint8Array> = defineMessage({ id: 4_096, name: 'echo', request: bytes() })
export const Note: MessageType<string, string> = defineMessage({ id: 4_097, name: 'note', request: utf8() })
export const Range: MessageType<{ from: number; to: number }, number> = defineMessage({
  id: 4_098,
  name: 'range',
  request: json<{ from: number; to: number }>(),
  response: cbor<number>(),
})

/** Two messengers, on a virtual time. */
export interface Pair {
  readonly joined: JoinedCircuits
  readonly near: Messenger
  readonly far: Messenger
}

export function pairOf(
  { near, far }: { readonly near?: MessengerOptions; readonly far?: MessengerOptions } = {},
  options: JoinedCircuitsOptions = {},
): Pair {
  const joined = joinCircuits(options)
  return { joined, near: messenger(joined.near, near), far: messenger(joined.far, far) }
}

export function statsOf({ circuit }: Messenger): MessageStats {
  return MessageSection.of(circuit.context).read()
}

/** Serves numbers from one to another. */
export async function* count({ from, to }: { readonly from: number; readonly to: number }): AsyncGenerator<number> {
  for (let number = from; number < to; number += 1) yield number
}

const nothing = new Uint8Array(0)

/** How something is said. */
interface Saying {
  readonly op?: number
  /** Of an exchange that the messenger has begun. */
  readonly theirs?: boolean
  readonly content?: number
}

/** What the hostile end has heard. */
export interface Heard extends MessageHeader {
  readonly op: number
  readonly payload: Uint8Array
}

/** A messenger, and at the other end of its circuit somebody who says what they like. */
export class HostilePair {
  readonly joined: JoinedCircuits
  readonly messages: Messenger
  readonly heard: Heard[] = []

  constructor(options: MessengerOptions = {}, joining: JoinedCircuitsOptions = {}) {
    this.joined = joinCircuits(joining)
    this.messages = messenger(this.joined.far, options)
    this.joined.near.receive(({ op, part, payload }) => {
      this.heard.push({ ...unpackHeader(part), op, payload: payload.slice() })
    })
  }

  /** Says something of an exchange. */
  say(kind: Kind, number: number, payload: Uint8Array = nothing, how: Saying = {}): void {
    const { op = 0, theirs = false, content = 0 } = how
    this.joined.near.send({ op, part: packHeader(kind, !theirs, number, content), payload })
  }

  async run(elapsedMs = 5): Promise<void> {
    await this.joined.run(elapsedMs)
  }

  kindsHeard(number: number): readonly Kind[] {
    return this.heard.filter((heard) => heard.number === number).map(({ kind }) => kind)
  }
}

export { kinds }
