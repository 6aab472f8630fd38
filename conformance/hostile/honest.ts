import { setTimeout as sleep } from 'node:timers/promises'
import { createNode } from 'plait'
import { reportOnSignal, Share } from './reporting.ts'

// An honest node beside those that attack: one small request after another, and with `bulk` a stream as well. On SIGUSR2 it prints a
// line with what it got since the last one. It ends with 1 when a circuit of it ends.
//
//   honest.ts ADDRESS [bulk]

const [address, bulk] = process.argv.slice(2) as [string, string | undefined]
const node = await createNode()
const peer = node.peer('honest')
const echo = await peer.open(`${address}/echo`)
const events: string[] = []
for (const name of ['suspect', 'lost', 'sessionend']) node.addEventListener(name, () => events.push(name))

const share = new Share()
let waits: number[] = []
let bytes = 0
let begun = performance.now()
let dialMs = 0

reportOnSignal(() => {
  const sorted = waits.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? -1
  const seconds = (performance.now() - begun) / 1_000
  const report = {
    requests: sorted.length,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    most: at(1),
    bytesPerSecond: bytes / seconds,
    dialMs,
    cores: share.read(),
    events,
  }
  waits = []
  bytes = 0
  dialMs = 0
  begun = performance.now()
  return report
})

if (bulk === 'bulk') {
  const stream = await peer.open(`${address}/source`)
  stream.receive(({ payload }) => (bytes += payload.length))
  void stream.closed.then(fail)
}
void echo.closed.then(fail)
void dialAgain()
console.log('ready')

for (let part = 0; ; part += 1) {
  const asked = performance.now()
  echo.send({ part })
  const answer = await echo.read()
  waits.push(performance.now() - asked)
  if (answer?.part !== part) throw new Error(`asked ${part}, and was told ${answer?.part}`)
  await sleep(2)
}

/** Others come, too: how long a session takes to make. */
async function dialAgain(): Promise<void> {
  for (;;) {
    const other = await createNode()
    const asked = performance.now()
    await other.peer('other').open(`${address}/echo`, {}, { timeoutMs: 20_000 })
    dialMs = Math.max(dialMs, performance.now() - asked)
    await other.close()
    await sleep(200)
  }
}

function fail(): void {
  console.error('a circuit of an honest node has ended', events)
  process.exit(1)
}
