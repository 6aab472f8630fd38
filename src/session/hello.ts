import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import { array, decode, encode, fixed, struct, text, tlv, u16, u32 } from '../wire/schema.ts'
import type { SchemaDescription } from '../wire/schema.ts'

/** Versions of the wire format that this code speaks. */
export const wireVersion = { min: 1, max: 1 } as const

export const features = ['ack', 'credit', 'resume'] as const

/** 'PLAIT' and three bytes that a text protocol would not survive. */
export const magic: Uint8Array = Uint8Array.of(0x50, 0x4c, 0x41, 0x49, 0x54, 0x0d, 0x0a, 0x00)

const name = text({ max: 64 })

/** What each side says first: type-length-value, unknown types skipped. */
const helloSchema = tlv({
  version: { type: 1, schema: struct({ min: u16, max: u16 }) },
  epoch: { type: 2, schema: fixed(16) },
  agent: { type: 3, schema: name },
  application: { type: 4, schema: struct({ name, version: name }), optional: true },
  limits: {
    type: 5,
    schema: struct({ frameBytes: u32, windowBytes: u32, fragmentBytes: u32, circuits: u32 }),
  },
  features: { type: 6, schema: array(name, { max: 32 }) },
  addresses: { type: 7, schema: array(text({ max: 255 }), { max: 16 }) },
  network: { type: 8, schema: fixed(32), optional: true },
})

/** What PROTOCOL.md says of it. */
export const helloDescription: SchemaDescription = helloSchema.describe()

/** What a node says of itself; the rest of its hello follows from the code and the limits. */
export interface LocalHello {
  /** 16 random bytes, new with each start of the process. */
  readonly epoch: Uint8Array
  readonly agent: string
  readonly application?: { readonly name: string; readonly version: string }
  readonly addresses: readonly string[]
  /** The proof that it belongs to a private network, for this very channel. */
  readonly network?: Uint8Array
}

/** What the other node said, checked. */
export interface Hello {
  readonly version: number
  readonly epoch: Uint8Array
  readonly agent: string
  readonly application: { readonly name: string; readonly version: string } | undefined
  /** Largest body of a frame it takes, credit it gives each new circuit, largest fragment, circuits for a session. */
  readonly frameBytes: number
  readonly windowBytes: number
  readonly fragmentBytes: number
  readonly circuits: number
  readonly features: readonly string[]
  readonly addresses: readonly string[]
  readonly network: Uint8Array | undefined
}

export function encodeHello(local: LocalHello, limits: Limits): Uint8Array {
  const body = encode(helloSchema, {
    version: wireVersion,
    epoch: local.epoch,
    agent: local.agent,
    ...(local.application === undefined ? {} : { application: local.application }),
    limits: {
      frameBytes: limits.framePayloadBytes,
      windowBytes: limits.windowBytesMin,
      fragmentBytes: limits.fragmentBytes,
      circuits: limits.circuitsPerSession,
    },
    features: [...features],
    addresses: [...local.addresses],
    ...(local.network === undefined ? {} : { network: local.network }),
  })
  const hello = new Uint8Array(magic.length + body.length)
  hello.set(magic)
  hello.set(body, magic.length)
  return hello
}

/** Throws `PROTOCOL` for what is no hello, and `VERSION_MISMATCH` with both ranges. */
export function decodeHello(bytes: Uint8Array): Hello {
  if (!magic.every((byte, index) => bytes[index] === byte)) {
    throw new PlaitError('PROTOCOL', 'the other side does not speak plait: check the address and the port')
  }
  const hello = decode(helloSchema, bytes, magic.length)
  const version = Math.min(hello.version.max, wireVersion.max)
  if (version < hello.version.min || version < wireVersion.min) {
    throw new PlaitError(
      'VERSION_MISMATCH',
      `this node speaks wire versions ${wireVersion.min} to ${wireVersion.max}, the other ${hello.version.min} to ${hello.version.max}: update the older one`,
      {
        facts: {
          localMin: wireVersion.min,
          localMax: wireVersion.max,
          remoteMin: hello.version.min,
          remoteMax: hello.version.max,
        },
      },
    )
  }
  const { frameBytes, windowBytes, fragmentBytes, circuits } = hello.limits
  if (frameBytes < 16 * 1024 || windowBytes < 16 * 1024) {
    throw new PlaitError(
      'PROTOCOL',
      `the other side announces limits too small to work with: ${frameBytes}, ${windowBytes}`,
    )
  }
  return {
    version,
    epoch: hello.epoch,
    agent: hello.agent,
    application: hello.application,
    frameBytes,
    windowBytes,
    fragmentBytes,
    circuits,
    features: hello.features,
    addresses: hello.addresses,
    network: hello.network,
  }
}
