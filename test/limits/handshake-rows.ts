import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { encodeHello } from '../../src/session/hello.ts'
import { RawPeer, rawFrame } from '../../src/testing/raw-peer.ts'
import { decodeError } from '../../src/wire/error.ts'
import { frameTypes, headerBytes } from '../../src/wire/frame.ts'
import { concat, KiB, MiB, varint } from './bytes.ts'
import type { Outcome, Row } from './row.ts'

const ready = rawFrame(frameTypes.READY, 0, Uint8Array.of(2, ...new Uint8Array(32).fill(9)))

/** A HELLO with a body of `bodyBytes`, most of it an entry that nobody knows. */
function helloOf(bodyBytes: number): Uint8Array {
  const hello = encodeHello({ epoch: new Uint8Array(16), agent: 'raw', addresses: [] }, defaultLimits)
  const type = varint(100)
  let fillBytes = bodyBytes - hello.length - type.length
  while (hello.length + type.length + varint(fillBytes).length + fillBytes > bodyBytes) fillBytes -= 1
  return rawFrame(frameTypes.HELLO, 0, concat(hello, type, varint(fillBytes), new Uint8Array(fillBytes)))
}

function outcomeOf(peer: RawPeer): Outcome {
  peer.drain()
  const { error, states } = peer.end
  const said = peer.framesOf(frameTypes.GOAWAY).map(({ body }) => decodeError(body).code)
  if (error === undefined) return { closed: 'nothing', kept: states.length }
  if (said.join() !== error.code) throw new Error(`it ended with ${error.code}, and said ${said.join()}`)
  return { closed: 'link', code: error.code }
}

/** Says a HELLO with a body of `bodyBytes`; of one that is refused only the header. */
function greets(bodyBytes: number, limits: Partial<Limits>): Outcome {
  const peer = new RawPeer({ limits })
  const hello = helloOf(bodyBytes)
  peer.send(hello.subarray(0, headerBytes))
  const refused = outcomeOf(peer)
  if (refused.closed !== 'nothing') return refused
  peer.send(hello.subarray(headerBytes))
  peer.send(ready)
  return outcomeOf(peer)
}

/** What is borne before a session is there. */
export const handshakeRows: readonly Row[] = [
  {
    limit: 'earlyFrameBytes',
    attempt: greets,
    within: () => ({ closed: 'nothing', kept: 1 }),
    beyond: () => ({ closed: 'link', code: 'LIMIT' }),
  },
  {
    limit: 'earlyTotalBytes',
    what: 'HELLO and READY with their headers',
    limits: { earlyFrameBytes: 4 * MiB },
    attempt: (amount, limits) => greets(amount - headerBytes - ready.length, limits),
    within: () => ({ closed: 'nothing', kept: 1 }),
    beyond: () => ({ closed: 'link', code: 'LIMIT' }),
  },
  {
    limit: 'handshakeTimeoutMs',
    what: 'whatever comes meanwhile',
    attempt: (amount) => {
      const peer = new RawPeer()
      const hello = helloOf(4 * KiB)
      const stepMs = 10
      let at = 0
      for (let restMs = amount - 1; restMs > 0; restMs -= stepMs) {
        peer.send(hello.subarray(at, at + 1))
        at += 1
        peer.run(Math.min(stepMs, restMs))
      }
      const outcome = outcomeOf(peer)
      if (outcome.closed !== 'nothing') return outcome
      peer.send(hello.subarray(at))
      peer.send(ready)
      return outcomeOf(peer)
    },
    within: () => ({ closed: 'nothing', kept: 1 }),
    beyond: () => ({ closed: 'link', code: 'HANDSHAKE_TIMEOUT' }),
  },
]
