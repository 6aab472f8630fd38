import type { Limits } from '../../src/base/limits.ts'
import { Budget } from '../../src/session/budget.ts'
import { headerBytes } from '../../src/wire/frame.ts'
import { KiB } from './bytes.ts'
import { Door } from './door.ts'
import { Hostile } from './hostile.ts'
import { closing } from './row.ts'
import type { Outcome, Row } from './row.ts'

interface Crowd {
  /** They say what is to be said. Else they are silent. */
  readonly greets: boolean
  readonly addressOf: (index: number) => string
  /** Whose outcome counts: of whoever came too late, or of whoever had to give way. */
  readonly loser: 'first' | 'last'
}

/** `amount` nodes knock one after the other; what becomes of the one that loses, and of the others. */
async function knocks(amount: number, limit: number, limits: Partial<Limits>, crowd: Crowd): Promise<Outcome> {
  const door = await Door.open(limits)
  const links = []
  for (let index = 0; index < amount; index += 1) {
    const link = door.knock(crowd.addressOf(index))
    links.push(crowd.greets ? link.greet() : link)
    if (index % 50 === 49) await door.run()
  }
  await door.run(100)
  const outcomes = links.map(({ outcome }) => outcome)
  const going = outcomes.filter(({ closed }) => closed === 'nothing').length
  if (going !== Math.min(amount, limit)) throw new Error(`${going} of ${amount} go on`)
  const { sessions } = door.node.stats()
  if (sessions.live !== (crowd.greets ? going : 0)) throw new Error(`${sessions.live} sessions live`)
  if (sessions.refused !== amount - going) throw new Error(`${sessions.refused} were counted as refused`)
  const outcome = outcomes.at(crowd.loser === 'first' ? 0 : -1)
  await door.close()
  return outcome as Outcome
}

/** An address of its own for everybody. */
function anywhere(index: number): string {
  return `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}:7001`
}

/** Many in one IPv6 /64. */
function oneNetwork(index: number): string {
  return `[2001:db8:0:1:${(index >> 16).toString(16)}:${(index & 0xffff).toString(16)}::1]:7001`
}

function knockRow(limit: keyof Limits, what: string, value: number, more: Partial<Limits>, crowd: Crowd): Row {
  return {
    limit,
    what,
    limits: { [limit]: value, ...more },
    attempt: (amount, limits) => knocks(amount, value, limits, crowd),
    ...closing('link', 'TOO_MANY_SESSIONS'),
  }
}

/** What a remote is charged with for each fragment that nobody reads, besides its bytes. */
const overheadBytes = 256
/** No more than the narrowest window: a tight account gives no wider one. */
const largestFrameBytes = 12 * KiB

/** Opens circuits that nobody reads, and fills them: `bytes` in all, to the byte. */
function spend(hostile: Hostile, bytes: number): void {
  const smallest = hostile.openBytes + overheadBytes + headerBytes + 1
  for (let restBytes = bytes; restBytes > 0 && hostile.peer.end.error === undefined;) {
    const number = hostile.open()
    restBytes -= hostile.openBytes + overheadBytes
    const left = restBytes - largestFrameBytes
    const frameBytes =
      left > 0 && left < smallest ? largestFrameBytes - smallest : Math.min(restBytes, largestFrameBytes)
    hostile.fill(number, frameBytes)
    restBytes -= frameBytes
  }
}

/** One circuit costs 100 KiB, many others cost little, all of them `amount` together; what becomes of the one. */
function exhaustsAccount(amount: number, limits: Partial<Limits>): Outcome {
  const hostile = new Hostile(limits)
  const most = hostile.open()
  hostile.fill(most, 50 * KiB)
  hostile.fill(most, 50 * KiB)
  spend(hostile, amount - hostile.session.account.usedBytes)
  const { usedBytes } = hostile.session.account
  if (usedBytes > Math.min(amount, limits.accountBytes as number)) throw new Error(`${usedBytes} bytes are charged`)
  return hostile.outcome(most)
}

/** Two sessions cost 50 KiB each, a third one the rest of `amount`; what becomes of that one. */
function exhaustsBudget(amount: number, limits: Partial<Limits>): Outcome {
  const budget = new Budget(limits.budgetBytes as number)
  const [most, ...others] = [0, 1, 2].map(() => new Hostile(limits, { budget })) as [Hostile, Hostile, Hostile]
  for (const other of others) spend(other, 50 * KiB)
  spend(most, amount - budget.usedBytes)
  const outcome = most.outcome()
  const left = [...others, most].reduce((sum, { session }) => sum + session.account.usedBytes, 0)
  if (left !== budget.usedBytes || left > amount) throw new Error(`${budget.usedBytes} bytes are left of ${left}`)
  for (const other of others) if (other.outcome().closed !== 'nothing') throw new Error('the others noticed')
  return outcome
}

/** Sessions: how many, from where, and what they may cost. */
export const nodeRows: readonly Row[] = [
  knockRow(
    'pendingHandshakes',
    'the newest has to wait',
    16,
    {},
    {
      greets: false,
      addressOf: anywhere,
      loser: 'last',
    },
  ),
  knockRow(
    'pendingHandshakesPerAddress',
    'the oldest gives way',
    8,
    {},
    {
      greets: false,
      addressOf: oneNetwork,
      loser: 'first',
    },
  ),
  knockRow('sessions', 'the newest is refused', 16, {}, { greets: true, addressOf: anywhere, loser: 'last' }),
  knockRow(
    'sessionsPerAddress',
    'the newest is refused',
    8,
    {},
    {
      greets: true,
      addressOf: oneNetwork,
      loser: 'last',
    },
  ),
  {
    limit: 'accountBytes',
    what: 'the circuit that costs the most is reset',
    limits: { accountBytes: 256 * KiB, budgetResetsPerSecond: 10_000 },
    attempt: exhaustsAccount,
    ...closing('circuit', 'BUDGET'),
  },
  {
    limit: 'budgetBytes',
    what: 'the session that costs the most ends',
    limits: { budgetBytes: 256 * KiB },
    attempt: exhaustsBudget,
    ...closing('session', 'BUDGET'),
  },
]
