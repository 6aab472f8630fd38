import { bytes, defineMessage, json, type MessageType, utf8 } from 'plait'

export const Echo: MessageType<Uint8Array, Uint8Array> = defineMessage({ id: 4_096, name: 'echo', request: bytes() })
/** Answered after so many ms, whatever the signal says. */
export const Late: MessageType<number, number> = defineMessage({ id: 4_097, name: 'late', request: json<number>() })
export const Never: MessageType<string, string> = defineMessage({ id: 4_098, name: 'never', request: utf8() })
export const Note: MessageType<number, number> = defineMessage({ id: 4_099, name: 'note', request: json<number>() })
export const Rows: MessageType<number, number> = defineMessage({ id: 4_100, name: 'rows', request: json<number>() })
export const Blob: MessageType<Uint8Array, Uint8Array> = defineMessage({ id: 4_101, name: 'blob', request: bytes() })
/** How many blobs have come, over all circuits. */
export const AllBlobs: MessageType<string, number> = defineMessage({
  id: 4_107,
  name: 'all-blobs',
  request: utf8(),
  response: json<number>(),
})
export const Tell: MessageType<string, Told> = defineMessage({
  id: 4_102,
  name: 'tell',
  request: utf8(),
  response: json<Told>(),
})

/** Each side says the number of its stream, and both close it, in the way that the number says, at the same moment. */
export const Cross: MessageType<Crossing, Crossing> = defineMessage({
  id: 4_103,
  name: 'cross',
  request: json<Crossing>(),
})
/** One row every so many ms, until it is left. */
export const Trickle: MessageType<number, number> = defineMessage({
  id: 4_104,
  name: 'trickle',
  request: json<number>(),
})
/** The far end prints its counters as JSON, after the text. */
export const Print: MessageType<string, string> = defineMessage({ id: 4_105, name: 'print', request: utf8() })
/** The far end does its part of the mix. */
export const Mix: MessageType<string, string> = defineMessage({ id: 4_106, name: 'mix', request: utf8() })
/** Nobody handles it. */
export const Nobody: MessageType<string, Uint8Array> = defineMessage({
  id: 4_999,
  name: 'nobody',
  request: utf8(),
  response: bytes(),
})

export interface Crossing {
  readonly index: number
  /** In ms since 1970. */
  readonly closeAt: number
}

/** How a stream is closed by its ends, by its number: who closes wants to hear no more, who ends has said all. */
export const closings: readonly { readonly near: 'close' | 'end'; readonly far: 'close' | 'end' }[] = [
  { near: 'close', far: 'close' },
  { near: 'end', far: 'close' },
  { near: 'close', far: 'end' },
  { near: 'end', far: 'end' },
]

/** What one end has seen of streams that cross. */
export interface Crossed {
  opened: number
  /** How often `closed` and the signal of a stream have fired. */
  closed: number
  fired: number
  /** Rows that belong to another stream. */
  astray: number
}

/** What the far end has seen. */
export interface Told {
  /** On this circuit; and on all that there were. */
  readonly notes: number
  readonly allNotes: number
  readonly inOrder: boolean
  readonly signals: number
  readonly rowsSent: number
  readonly live: number
  /** When the last note came, in ms since 1970. */
  readonly lastNoteAt: number
  readonly blobs: readonly string[]
  readonly crossed: Crossed
  /** Ids of messages that nobody handles, as the default handler has taken them. */
  readonly unknown: readonly string[]
  readonly memoryBytes: number
}
