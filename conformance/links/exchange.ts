import { setTimeout as sleep } from 'node:timers/promises'
import type { Circuit, Fragment } from 'plait'

/** What one end has got of the other end's numbers. */
export interface Tally {
  readonly received: number
  /** The first fragment was number 0, and each one the next after the one before. */
  readonly inOrder: boolean
  /** Fragments with other bytes than were sent. */
  readonly damaged: number
}

/** Every so many fragments one is too large for a frame, so that cuts fall between its pieces. */
const largeEvery = 100
const largeBytes = 100_000

/** Sends as many numbered fragments as `total` says, evenly over `forMs`, and takes as many until the other side ends. */
export async function exchange(circuit: Circuit, total: number, forMs: number): Promise<Tally> {
  const [tally] = await Promise.all([takeAll(circuit), sendAll(circuit, total, forMs)])
  return tally
}

async function sendAll(circuit: Circuit, total: number, forMs: number): Promise<void> {
  const begun = performance.now()
  for (let number = 0; number < total;) {
    const due = Math.min(total, Math.ceil(((performance.now() - begun) * total) / forMs))
    for (; number < due; number += 1) {
      if (!circuit.send({ part: number, payload: payloadOf(number) })) await circuit.ready()
    }
    await sleep(2)
  }
  circuit.end()
}

async function takeAll(circuit: Circuit): Promise<Tally> {
  const tally = { received: 0, inOrder: true, damaged: 0 }
  for await (const fragment of circuit) {
    tally.inOrder &&= fragment.part === tally.received
    tally.received += 1
    if (isDamaged(fragment)) tally.damaged += 1
  }
  return tally
}

function payloadOf(number: number): Uint8Array {
  const bytes = number % largeEvery === largeEvery - 1 ? largeBytes : (number * 7_919) % 1_500
  return Uint8Array.from({ length: bytes }, (_, index) => number + index)
}

function isDamaged({ part, payload }: Fragment): boolean {
  return Buffer.compare(payload, payloadOf(part)) !== 0
}
