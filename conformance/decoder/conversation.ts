import { Malformed } from './byte-reader.ts'
import { decodeHandshake } from './handshake.ts'
import type { Agreement, Handshake } from './handshake.ts'
import type { Hello } from './messages.ts'
import type { Recording, Side } from './recording.ts'
import { Session } from './session.ts'
import type { SaidFrame } from './session.ts'

/** One link of a conversation. */
export interface LinkRecord {
  readonly handshake: Handshake
  readonly session: Session | undefined
  /** What was said in the session on this link. */
  readonly said: Readonly<Record<Side, readonly SaidFrame[]>>
}

/** What two nodes have said to each other. */
export interface Conversation {
  readonly links: readonly LinkRecord[]
  readonly sessions: readonly Session[]
}

/** Reads a recording by PROTOCOL.md, and by nothing else. Throws `Malformed` where it does not keep to the page. */
export function decodeConversation({ nodeIds, links }: Recording): Conversation {
  const chair: Side = nodeIds.a < nodeIds.b ? 'a' : 'b'
  const sessionsById = new Map<string, Session>()
  const records = links.map((link): LinkRecord => {
    const handshake = decodeHandshake(link)
    const { agreement, words } = handshake
    if (agreement === undefined) {
      const late = [...words.a.rest, ...words.b.rest].find(({ name }) => name !== 'GOAWAY')
      if (late !== undefined) throw new Malformed(`${late.name} on a link without a session`)
      return { handshake, session: undefined, said: { a: [], b: [] } }
    }
    const session = sessionOf(agreement, handshake, chair, sessionsById)
    return { handshake, session, said: session.take(agreement, words) }
  })
  const sessions = [...sessionsById.values()]
  for (const session of sessions) session.check()
  return { links: records, sessions }
}

/** The conversation in lines, one for each frame. */
export function transcribe({ links }: Conversation): readonly string[] {
  return links.flatMap(({ handshake, said }, index) =>
    (['a', 'b'] as const).flatMap((side) => {
      const { early, restBytes } = handshake.words[side]
      const head = `link ${index + 1}, ${side}:`
      return [
        ...early.map(({ name, length }) => `${head} ${name}, ${length} bytes`),
        ...said[side].map(({ frame, number, isAgain }) => {
          const channel = frame.channel === 0 ? '' : ` on ${frame.channel}`
          const count = number === undefined ? '' : `, number ${number}${isAgain ? ' again' : ''}`
          return `${head} ${frame.name}${channel}, ${frame.length} bytes${count}`
        }),
        ...(restBytes === 0 ? [] : [`${head} ${restBytes} bytes of a frame that was cut off`]),
      ]
    }),
  )
}

function sessionOf(
  agreement: Agreement,
  { words }: Handshake,
  chair: Side,
  sessionsById: Map<string, Session>,
): Session {
  const { kind, sessionId } = agreement
  const known = sessionsById.get(sessionId)
  if (kind === 'resumed') {
    if (known === undefined) throw new Malformed(`a session ${sessionId} that never began`)
    return known
  }
  if (known !== undefined) throw new Malformed(`a session ${sessionId} that begins twice`)
  const session = new Session(sessionId, chair, { a: words.a.hello as Hello, b: words.b.hello as Hello })
  sessionsById.set(sessionId, session)
  return session
}
