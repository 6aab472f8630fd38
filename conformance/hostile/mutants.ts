import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setPriority } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseUrl } from 'plait'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { frameTypes } from '../../src/wire/frame.ts'
import { Stranger } from './stranger.ts'

// Handshakes that are changed somewhere on their way: below TLS, or in what is said first within it. It prints what became of them.
//
//   mutants.ts ADDRESS COUNT WORKERS SEED

const [address, total, workers, seed] = process.argv.slice(2) as [string, string, string, string]
// Like those who attack: it takes what an honest node leaves.
setPriority(10)
const { nodeId, addresses } = parseUrl(address)
const [target] = addresses as [{ host: string; port: number }]

/** Addresses that they come from: from each no more than 64 may be under way. */
const hosts = 16
const random = new SeededRandom(seed)
const below = (limit: number): number => Math.floor(random.real() * limit)
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()

const report = {
  /** Both sides were ready in spite of the change, or it came behind that. */
  harmless: 0,
  /** Ended by the node: soon after the change, or when the time for the handshake was over; from its beginning. */
  soon: 0,
  latestSoonMs: 0,
  late: 0,
  earliestLateMs: Infinity,
  latestMs: 0,
  /** Ended with a word, by code. */
  codes: {} as Record<string, number>,
  open: 0,
  ownDelayMs: 0,
}

/** A relay that changes what goes up. */
const relay = createServer((near) => {
  const mutation = plan(3_000)
  const far = connect({ ...target, localAddress: hostOf(below(hosts)), noDelay: true })
  let passed = 0
  near.on('data', (bytes: Uint8Array) => {
    far.write(mutation.change(bytes, passed))
    passed += bytes.length
  })
  far.on('data', (bytes: Uint8Array) => near.write(bytes))
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as [Socket, Socket][]) {
    one.on('error', () => {}).on('close', () => other.destroy())
  }
}).listen(0, '127.0.0.1')
await once(relay, 'listening')
const relayed = `plait://${nodeId}@127.0.0.1:${(relay.address() as AddressInfo).port}`

let begun = 0
await Promise.all(
  Array.from({ length: Number(workers) }, async () => {
    while (begun < Number(total)) {
      begun += 1
      await attempt(begun % 2 === 0)
    }
  }),
)
report.ownDelayMs = delay.max / 1e6
console.log(`mutated ${JSON.stringify(report)}`)
process.exit()

async function attempt(belowTls: boolean): Promise<void> {
  const at = performance.now()
  const connecting = belowTls
    ? Stranger.connect(relayed)
    : Stranger.connect(address, { localAddress: hostOf(below(hosts)) })
  const stranger = await connecting.catch(() => undefined)
  if (stranger === undefined) {
    settle(performance.now() - at)
    return
  }
  const script = Buffer.concat([stranger.hello(), stranger.ready()])
  stranger.send(belowTls ? script : plan(script.length).change(script, 0))
  const ready = stranger.hears(frameTypes.READY).then(
    () => 'ready',
    () => undefined,
  )
  const what = await Promise.race([stranger.closed, ready, sleep(9_000)])
  if (what === 'ready' && (await Promise.race([stranger.closed, sleep(100)])) === undefined) report.harmless += 1
  else if (stranger.over) settle(performance.now() - at, stranger.goodbye?.code)
  else report.open += 1
  stranger.leave()
}

function settle(ms: number, code = 'without a word'): void {
  report.codes[code] = (report.codes[code] ?? 0) + 1
  report.latestMs = Math.max(report.latestMs, ms)
  if (ms < 4_000) {
    report.soon += 1
    report.latestSoonMs = Math.max(report.latestSoonMs, ms)
  } else {
    report.late += 1
    report.earliestLateMs = Math.min(report.earliestLateMs, ms)
  }
}

interface Mutation {
  /** What becomes of bytes that stand at `passed` in what is sent. */
  change(bytes: Uint8Array, passed: number): Uint8Array
}

/** A change somewhere in the first `length` bytes. */
function plan(length: number): Mutation {
  const at = below(length)
  const kind = below(6)
  const size = 1 + below(40)
  const noise = random.bytes(size)
  return {
    change(bytes, passed) {
      const here = at - passed
      if (here < 0 || here >= bytes.length) return bytes
      const before = bytes.subarray(0, here)
      const after = bytes.subarray(here)
      const changed = bytes.slice()
      switch (kind) {
        case 0:
          changed[here] = changed[here]! ^ (1 << below(8))
          return changed
        case 1:
          changed.set(noise.subarray(0, bytes.length - here), here)
          return changed
        case 2:
          return Buffer.concat([before, noise, after])
        case 3:
          return Buffer.concat([before, after.subarray(size)])
        case 4:
          return Buffer.concat([before, after.subarray(0, size), after])
        default:
          return before
      }
    },
  }
}

function hostOf(index: number): string {
  return `127.0.0.${200 + index}`
}
