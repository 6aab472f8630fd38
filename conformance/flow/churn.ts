import { setTimeout as sleep } from 'node:timers/promises'
import { createNode } from 'plait'
import type { Circuit } from 'plait'

// C8: many circuits open at once, then many that come and go. Prints what it measured, closes, and has to end by itself.

const [address, openText, cyclesText] = process.argv.slice(2)
const open = Number(openText)
const cycles = Number(cyclesText)
const node = await createNode({})
const peer = node.peer('churn')

async function collect(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.()
    await sleep(60)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function far(report: Circuit): Promise<Record<string, number>> {
  await sleep(100)
  for (let round = 0; round < 3; round += 1) {
    report.send({ subject: 'gc' })
    await report.read()
  }
  report.send({ subject: 'gc' })
  const answer = await report.read()
  return Object.fromEntries(Object.entries(answer?.args ?? {}).map(([key, value]) => [key, Number(value)]))
}

async function cycle(part: number): Promise<void> {
  const circuit = await peer.open(`${address}/mirror`, { part })
  const answer = await circuit.read()
  if (answer?.part !== part) throw new Error(`${answer?.part} came back instead of ${part}`)
  await circuit.close()
  await circuit.closed
}

async function inLanes(total: number, lanes: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < total) {
      next += 1
      await work(next)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

const report = await peer.open(`${address}/report`)
await inLanes(2_000, 100, cycle)
const base = { here: await collect(), there: await far(report) }

const circuits: Circuit[] = []
await inLanes(open, 128, async (part) => {
  const circuit = await peer.open(`${address}/mirror`, { part })
  await circuit.read()
  circuits.push(circuit)
})
const opened = { here: await collect(), there: await far(report) }
const liveAtPeak = node.stats().circuits.live
await Promise.all(circuits.splice(0).map((circuit) => circuit.close().then(() => circuit.closed)))

await inLanes(cycles, 100, cycle)
const end = { here: await collect(), there: await far(report) }
await report.close()
await report.closed
const { circuits: counted } = node.stats()
const account = node.snapshot().budget.usedBytes
await node.close()
console.log(
  JSON.stringify({ base, opened, end, liveAtPeak, live: counted.live, leak: counted.opened - counted.closed, account }),
)
