import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { hasArgs } from '../../src/wire/args.ts'
import type { FragmentArgs, FragmentFields } from '../../src/wire/fragment.ts'

/** What a sender has put into one fragment, kept outside of the nodes to compare it with what arrives. */
export interface Sent {
  readonly op: number
  readonly subject: string
  readonly part: number
  readonly args: FragmentArgs
  /** A view of the pattern; nobody may write to it. */
  readonly payload: Uint8Array
}

/** Every payload is a piece of this, so that none has to be made or kept. */
const pattern = new SeededRandom('pattern').bytes(1 << 20)

const subjects = ['', '', '', '', '', '', 'chunk', 'chunk', 'übergabe', '__proto__', 'x'.repeat(300)]
const argNames = ['path', '__proto__', 'constructor', 'toString', 'größe', 'k'.repeat(100)]
const argValues = ['', 'a/b/c', '0', '\u0000', 'värde', 'v'.repeat(500)]
const numbers = [0, 0, 0, 1, 7, 255, 65_536, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER, -1, Number.MIN_SAFE_INTEGER]
const noArgs: FragmentArgs = Object.freeze({})
const nothing = new Uint8Array(0)

/** How large the payloads of a circuit are. */
export type Sizes = 'tiny' | 'mixed' | 'bulk' | 'large'

export function drawFragment(random: SeededRandom, sizes: Sizes): Sent {
  const length = drawLength(random, sizes)
  return {
    op: random.pick(numbers),
    subject: random.pick(subjects),
    part: random.pick(numbers),
    args: random.chance(0.08) ? drawArgs(random) : noArgs,
    payload: length === 0 ? nothing : drawPayload(random, length),
  }
}

export function fieldsOf(sent: Sent, payload: Uint8Array = sent.payload): FragmentFields {
  return { op: sent.op, subject: sent.subject, part: sent.part, args: sent.args, payload }
}

/** What differs between what was sent and what has come, or nothing. */
export function difference(
  sent: Sent,
  received: Omit<Sent, 'args'> & { readonly args: FragmentArgs },
): string | undefined {
  if (received.op !== sent.op) return `op ${received.op} instead of ${sent.op}`
  if (received.subject !== sent.subject)
    return `subject ${JSON.stringify(received.subject)} instead of ${JSON.stringify(sent.subject)}`
  if (received.part !== sent.part) return `part ${received.part} instead of ${sent.part}`
  if (sent.args === noArgs && !hasArgs(received.args)) return differentPayload(sent, received)
  const names = Object.keys(sent.args)
  const sameArgs =
    Object.keys(received.args).length === names.length && names.every((name) => received.args[name] === sent.args[name])
  if (!sameArgs) return `args ${JSON.stringify(received.args)} instead of ${JSON.stringify(sent.args)}`
  return differentPayload(sent, received)
}

function differentPayload(sent: Sent, received: Pick<Sent, 'payload'>): string | undefined {
  if (received.payload.length !== sent.payload.length)
    return `${received.payload.length} bytes instead of ${sent.payload.length}`
  if (!isEqual(received.payload, sent.payload)) return `other bytes than the ${sent.payload.length} that were sent`
  return undefined
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length > 64) return Buffer.compare(left, right) === 0
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false
  return true
}

function drawLength(random: SeededRandom, sizes: Sizes): number {
  switch (sizes) {
    case 'tiny':
      return random.integer(0, 64)
    case 'bulk':
      return Math.floor(random.logarithmic(8_000, 70_000))
    case 'large':
      return Math.floor(random.logarithmic(60_000, 300_000))
    case 'mixed': {
      const lot = random.real()
      if (lot < 0.85) return random.integer(0, 200)
      if (lot < 0.99) return Math.floor(random.logarithmic(200, 4_000))
      return Math.floor(lot < 0.9985 ? random.logarithmic(4_000, 66_000) : random.logarithmic(66_000, 300_000))
    }
  }
}

function drawPayload(random: SeededRandom, length: number): Uint8Array {
  const start = random.integer(0, pattern.length - length)
  return pattern.subarray(start, start + length)
}

function drawArgs(random: SeededRandom): FragmentArgs {
  const args: [string, string][] = []
  const first = random.integer(0, argNames.length - 1)
  for (let count = random.integer(1, 3); count > 0; count -= 1)
    args.push([argNames[(first + count) % argNames.length] as string, random.pick(argValues)])
  // Own names, `__proto__` among them.
  return Object.fromEntries(args)
}
