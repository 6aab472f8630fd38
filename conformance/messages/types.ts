import { bytes, defineMessage, json, type MessageType, utf8 } from 'plait'

export const Echo: MessageType<Uint8Array, Uint8Array> = defineMessage({ id: 4_096, name: 'echo', request: bytes() })
/** Answered after so many ms, whatever the signal says. */
export const Late: MessageType<number, number> = defineMessage({ id: 4_097, name: 'late', request: json<number>() })
export const Never: MessageType<string, string> = defineMessage({ id: 4_098, name: 'never', request: utf8() })
export const Note: MessageType<number, number> = defineMessage({ id: 4_099, name: 'note', request: json<number>() })
export const Rows: MessageType<number, number> = defineMessage({ id: 4_100, name: 'rows', request: json<number>() })
export const Blob: MessageType<Uint8Array, Uint8Array> = defineMessage({ id: 4_101, name: 'blob', request: bytes() })
export const Tell: MessageType<string, Told> = defineMessage({
  id: 4_102,
  name: 'tell',
  request: utf8(),
  response: json<Told>(),
})

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
}
