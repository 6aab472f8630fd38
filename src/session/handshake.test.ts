import { describe, expect, it } from 'vitest'
import type { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import { NetworkKey } from '../identity/network-key.ts'
import type { NodeId } from '../identity/node-id.ts'
import { Handshake } from './handshake.ts'
import type { NetworkProof, Successor } from './handshake.ts'

interface Channel {
  readonly dialled: boolean
  /** Stands for the channel: both ends of one have the same. */
  readonly binding: number
  readonly network?: NetworkProof
}

/** One end of a channel that says READY to whoever has greeted it well, and what has become of it. */
class End {
  readonly handshake: Handshake
  outcome: 'nothing' | 'greeted' | 'agreed' | PlaitError['code'] = 'nothing'

  constructor({ dialled, binding, network }: Channel) {
    const [localId, remoteId] = (dialled ? ['a', 'b'] : ['b', 'a']) as [NodeId, NodeId]
    this.handshake = new Handshake({
      localId,
      remoteId,
      hello: { epoch: new Uint8Array(16).fill(dialled ? 1 : 2), agent: 'test', addresses: [] },
      limits: defaultLimits,
      binding: new Uint8Array(32).fill(binding),
      dialled,
      network,
      now: 0,
      events: {
        wake: () => {},
        greeted: () => {
          this.outcome = 'greeted'
          this.handshake.ready()
        },
        heard: () => {},
        agreed: () => {
          this.outcome = 'agreed'
          return successor
        },
        failed: ({ code }) => void (this.outcome = code),
      },
    })
  }

  hear(frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.handshake.receive(frame)
  }

  say(): readonly Uint8Array[] {
    return this.handshake.transmit()
  }
}

const successor: Successor = { stopped: true, fail() {}, check() {}, place: () => undefined, frame() {} }

function networkOf(key: number): NetworkProof {
  return new NetworkKey(new Uint8Array(32).fill(key))
}

/** Both ends speak until they have no more to say. */
function talk(dialler: End, listener: End): [End['outcome'], End['outcome']] {
  for (let turn = 0; turn < 4; turn += 1) {
    listener.hear(dialler.say())
    dialler.hear(listener.say())
  }
  return [dialler.outcome, listener.outcome]
}

describe('a private network', () => {
  const network = networkOf(3)

  it('takes who has its key; the dialler proves that first, and learns nothing before', () => {
    const dialler = new End({ dialled: true, binding: 1, network })
    const listener = new End({ dialled: false, binding: 1, network })
    expect(listener.say()).toEqual([])
    expect(talk(dialler, listener)).toEqual(['agreed', 'agreed'])
  })

  it('refuses who has another key, or says nothing of any, at both ends', () => {
    for (const [here, there] of [
      [network, networkOf(5)],
      [network, undefined],
      [undefined, network],
    ]) {
      const end = (dialled: boolean, own: NetworkProof | undefined): End =>
        new End({ dialled, binding: 1, ...(own === undefined ? {} : { network: own }) })
      expect(talk(end(true, here), end(false, there))).toEqual(['WRONG_NETWORK', 'WRONG_NETWORK'])
    }
  })

  it('takes no proof that was made on another channel: who stands between two members can pass none on', () => {
    const dialler = new End({ dialled: true, binding: 1, network })
    const listener = new End({ dialled: false, binding: 2, network })
    listener.hear(dialler.say())
    expect(listener.outcome).toBe('WRONG_NETWORK')

    const other = new End({ dialled: true, binding: 4, network })
    const friend = new End({ dialled: false, binding: 4, network })
    friend.hear(other.say())
    const [hello] = friend.say()
    dialler.hear([hello as Uint8Array])
    expect(dialler.outcome).toBe('WRONG_NETWORK')
  })

  it('takes no proof back that it has made itself', () => {
    const dialler = new End({ dialled: true, binding: 1, network })
    dialler.hear(dialler.say())
    expect(dialler.outcome).toBe('WRONG_NETWORK')
  })
})
