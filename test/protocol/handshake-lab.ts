import { PlaitError } from '../../src/base/error.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import { frameOf, goAway } from '../../src/session/farewell.ts'
import { Handshake } from '../../src/session/handshake.ts'
import { encodeHello } from '../../src/session/hello.ts'
import { encodeResume } from '../../src/session/resumption.ts'
import type { ResumeClaim } from '../../src/session/resumption.ts'
import { frameTypes } from '../../src/wire/frame.ts'

const binding = new Uint8Array(32).fill(9)
const epoch = new Uint8Array(16).fill(1)
const remoteEpoch = new Uint8Array(16).fill(2)

export const claim: ResumeClaim = { sessionId: new Uint8Array(16).fill(7), receivedFrames: 0 }
export const otherClaim: ResumeClaim = { sessionId: new Uint8Array(16).fill(8), receivedFrames: 0 }

/** One handshake of the code, which has dialled, against what a test says. */
export class HandshakeLab {
  readonly handshake: Handshake
  /** What has happened, in order. */
  readonly events: string[] = []

  constructor(side: 'chair' | 'guest') {
    this.handshake = new Handshake({
      localId: (side === 'chair' ? 'a' : 'c') as NodeId,
      remoteId: 'b' as NodeId,
      hello: { epoch, agent: 'lab', addresses: [] },
      limits: defaultLimits,
      binding,
      dialled: true,
      now: 0,
      events: {
        wake: () => {},
        greeted: () => void this.events.push('greeted'),
        heard: () => void this.events.push('heard'),
        agreed: ({ kind }) => {
          this.events.push(kind === 'new' ? 'ready, new' : 'ready, resumed')
          return {
            stopped: false,
            check() {},
            place: () => undefined,
            frame: (type: number) => void this.events.push(`session frame ${type}`),
            fail: (error) => void this.events.push(error.code),
          }
        },
        failed: ({ code }) => void this.events.push(code),
      },
    })
  }

  hear(...frames: readonly Uint8Array[]): this {
    for (const frame of frames) this.handshake.receive(frame)
    return this
  }

  /** Greets, and then says what it is given. */
  static greeted(side: 'chair' | 'guest', ...frames: readonly Uint8Array[]): HandshakeLab {
    return new HandshakeLab(side).hear(hello(), ...frames)
  }
}

export function hello(): Uint8Array {
  return frameOf(frameTypes.HELLO, encodeHello({ epoch: remoteEpoch, agent: 'lab', addresses: [] }, defaultLimits))
}

export function ready(proof: Uint8Array = honestProof): Uint8Array {
  return frameOf(frameTypes.READY, proof)
}

export function resume(changes: Partial<Parameters<typeof encodeResume>[0]> = {}): Uint8Array {
  const body = { proof: honestProof, ...claim, epoch: remoteEpoch, remoteEpoch: epoch, ...changes }
  return frameOf(frameTypes.RESUME, encodeResume(body))
}

export function bye(): Uint8Array {
  return goAway(new PlaitError('GOING_AWAY', 'bye'))
}

export function any(type: number): Uint8Array {
  return frameOf(type, new Uint8Array(8))
}

/** The other side of the link, which has not dialled. */
const honestProof = Uint8Array.of(2, ...binding)

export const wrongProofs: readonly Uint8Array[] = [
  Uint8Array.of(1, ...binding),
  Uint8Array.of(2, ...new Uint8Array(32).fill(10)),
]
