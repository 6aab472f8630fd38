import { decodeFeedMessage, encodeFeedMessage, feedOps } from '../../../src/feed/messages.ts'
import type { SeededRandom } from '../../../src/testing/index.ts'
import type { FragmentFields } from '../../../src/wire/fragment.ts'

const ways = ['lies', 'stalls', 'boasts', 'babbles', 'mute', 'forges'] as const

/** One way in which a node does not do what it owes. */
export type Villainy = (typeof ways)[number]

export function drawVillainy(random: SeededRandom): Villainy {
  return random.pick(ways)
}

/** What such a node sends instead of what its synchronizer says. */
export function misbehave(
  how: Villainy,
  random: SeededRandom,
): (fragment: FragmentFields) => FragmentFields | undefined {
  const isAnswer = (op: number): boolean => op === feedOps.data || op === feedOps.proof || op === feedOps.chunks
  let answers = 0
  return (fragment) => {
    const { op = 0, payload = new Uint8Array(0) } = fragment
    if (isAnswer(op)) answers += 1
    switch (how) {
      case 'lies':
        return isAnswer(op) && answers % 3 === 0 ? { ...fragment, payload: flipped(payload, random) } : fragment
      case 'stalls':
        return isAnswer(op) && answers > 2 ? undefined : fragment
      case 'mute':
        return isAnswer(op) ? undefined : fragment
      case 'boasts':
        return op === feedOps.info ? { ...fragment, payload: boast(payload) } : fragment
      case 'babbles':
        return random.chance(0.05) ? { ...fragment, payload: random.bytes(payload.length) } : fragment
      case 'forges':
        return op === feedOps.head ? { ...fragment, payload: forge(payload) } : fragment
    }
  }
}

function flipped(payload: Uint8Array, random: SeededRandom): Uint8Array {
  const changed = payload.slice()
  const at = random.integer(0, payload.length - 1)
  changed[at] = (changed[at] as number) ^ (1 << random.integer(0, 7))
  return changed
}

/** It has all that there is, it says. */
function boast(payload: Uint8Array): Uint8Array {
  const message = decodeFeedMessage(feedOps.info, payload)
  if (message.name !== 'info') return payload
  return encodeFeedMessage('info', { ...message.value, contiguous: message.value.length })
}

/** The feed is longer than its writer has signed. */
function forge(payload: Uint8Array): Uint8Array {
  const message = decodeFeedMessage(feedOps.head, payload)
  if (message.name !== 'head') return payload
  return encodeFeedMessage('head', { ...message.value, length: message.value.length + 5 })
}
