import { bytesEqual, emptyBytes } from '../base/bytes.ts'
import { defaultLimits } from '../base/limits.ts'
import type { Schema } from '../wire/schema.ts'
import { decode, encode, struct, text, u8, varint } from '../wire/schema.ts'

const name: Schema<string> = text({ max: defaultLimits.nameBytes })

/** What the opener asks for. */
export interface OpenRequest {
  /** 0: a circuit; 1: only an instance of the service, and no circuit. */
  readonly kind: number
  readonly service: string
  /** Empty: the running instance, else one is started where that is allowed. */
  readonly peerId: string
  /** The version of the service that is asked for; 0: any. */
  readonly version: number
  readonly sourceService: string
  readonly sourcePeerId: string
}

export const openKinds = { circuit: 0, start: 1 } as const

/** Which peer took the circuit. */
export interface Acceptance {
  readonly service: string
  readonly peerId: string
}

/** Why a circuit was closed, in the application's own numbers. */
export interface Closing {
  readonly code: number
  readonly message: string
}

export const openSchema: Schema<OpenRequest> = struct({
  kind: u8,
  service: name,
  peerId: name,
  version: varint,
  sourceService: name,
  sourcePeerId: name,
})

export const acceptSchema: Schema<Acceptance> = struct({ service: name, peerId: name })

export const closeSchema: Schema<Closing> = struct({
  code: varint,
  message: text({ max: defaultLimits.errorMessageBytes }),
})

/** What is opened again and again is opened alike, by the same peers: each of these remembers its last answer. */
const rememberedOpen = rememberEncoding(openSchema)
const rememberedAcceptance = rememberEncoding(acceptSchema)
const readOpen = rememberDecoding(openSchema)
const readAcceptance = rememberDecoding(acceptSchema)

/** The bytes are lent: they must not change. */
export function encodeOpen(request: OpenRequest): Uint8Array {
  return rememberedOpen(request)
}

/** Throws `PROTOCOL`, like its siblings. */
export function decodeOpen(body: Uint8Array): OpenRequest {
  return readOpen(body)
}

/** The bytes are lent: they must not change. */
export function encodeAcceptance(acceptance: Acceptance): Uint8Array {
  return rememberedAcceptance(acceptance)
}

export function decodeAcceptance(body: Uint8Array): Acceptance {
  return readAcceptance(body)
}

export function encodeClosing(closing: Closing): Uint8Array {
  return encode(closeSchema, closing)
}

export function decodeClosing(body: Uint8Array): Closing {
  return decode(closeSchema, body)
}

function rememberEncoding<Value extends object>(schema: Schema<Value>): (value: Value) => Uint8Array {
  let last: Value | undefined
  let bytes = emptyBytes
  return (value) => {
    if (last === undefined || !sameFields(last, value)) {
      bytes = encode(schema, value)
      last = { ...value }
    }
    return bytes
  }
}

function rememberDecoding<Value extends object>(schema: Schema<Value>): (body: Uint8Array) => Value {
  let last: Uint8Array | undefined
  let value: Value | undefined
  return (body) => {
    if (value === undefined || last === undefined || !bytesEqual(last, body)) {
      value = Object.freeze(decode(schema, body))
      last = body.slice()
    }
    return value
  }
}

function sameFields<Value extends object>(left: Value, right: Value): boolean {
  for (const name in left) if (left[name] !== right[name]) return false
  return true
}
