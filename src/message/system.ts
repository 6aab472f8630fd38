import { PlaitError } from '../base/error.ts'
import { bytes } from './codecs/bytes.ts'
import { json } from './codecs/json.ts'
import { messageType } from './define-message.ts'
import type { MessageType } from './define-message.ts'
import { encodings } from './frame.ts'
import type { EncodingName } from './frame.ts'
import { validated } from './validated.ts'

/** Who is at the other end of a circuit. */
export interface WhoAmI {
  readonly nodeId: string
}

/** What a messenger says of itself before anything else, when it is not the default. */
export interface Settings {
  readonly accept: readonly EncodingName[]
  readonly maxInFlight: number
}

const empty = new Uint8Array(0)

/** Answered by every messenger. */
export const whoAmI: MessageType<Uint8Array, WhoAmI> = messageType({
  id: 1,
  name: 'whoami',
  request: bytes(),
  response: json<WhoAmI>(),
})
/** Answered with the same bytes. */
export const ping: MessageType<Uint8Array, Uint8Array> = messageType({ id: 2, name: 'ping', request: bytes() })
/** A post that is counted, and nothing more. */
export const heartbeat: MessageType<Uint8Array, Uint8Array> = messageType({
  id: 3,
  name: 'heartbeat',
  request: bytes(),
})
export const settings: MessageType<Settings, Uint8Array> = messageType({
  id: 4,
  name: 'settings',
  request: validated(json<Settings>(), { '~standard': { version: 1, validate: checkSettings } }),
  response: bytes(),
})

export const noBytes: Uint8Array = empty

type Checked = { readonly value: Settings } | { readonly issues: readonly { readonly message: string }[] }

/** Unknown compressions are left out: a later version may have more. */
function checkSettings(value: unknown): Checked {
  if (typeof value !== 'object' || value === null) return { issues: [{ message: 'settings are an object' }] }
  const { accept, maxInFlight } = value as Partial<Record<keyof Settings, unknown>>
  if (!Array.isArray(accept) || accept.length > 16) return { issues: [{ message: 'accept is a short list' }] }
  if (!Number.isSafeInteger(maxInFlight) || (maxInFlight as number) < 1)
    return { issues: [{ message: 'maxInFlight is a number from 1 up' }] }
  const known = accept.filter(
    (name): name is EncodingName => name !== 'identity' && Object.hasOwn(encodings, String(name)),
  )
  return { value: { accept: known, maxInFlight: maxInFlight as number } }
}

/** Throws `INVALID_ARGUMENT`. */
export function checkEncodings(names: readonly EncodingName[]): readonly EncodingName[] {
  for (const name of names) {
    if (!Object.hasOwn(encodings, name) || (name as string) === 'identity')
      throw new PlaitError('INVALID_ARGUMENT', `there is no compression ${name}: gzip, brotli and zstd are there`)
  }
  return names
}
