import { createNode } from 'plait'
import type { Circuit } from 'plait'
import { reportOnSignal, Share } from './reporting.ts'

// A node that others attack, in a process of its own. It prints its address, and on SIGUSR2 a line that says how it fares and how it
// has fared since the last such line. Whatever nobody catches ends it.
//
//   target.ts

const node = await createNode({ listen: ['tcp://0.0.0.0:0'] })

/**
 * How late the event loop was at worst: by the wall, and how much of that this process has worked, and its main thread alone. What
 * else the process works is threads that collect garbage: elsewhere they have processors of their own, here they share its only one.
 */
const tickMs = 5
const watch = { stallMs: 0, busyMs: 0, ownMs: 0, at: 0, process: 0, thread: 0 }

/** Where the clocks stand. */
function begin(): void {
  watch.at = performance.now()
  watch.process = msOf(process.cpuUsage())
  watch.thread = msOf(process.threadCpuUsage())
}

function msOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000
}

begin()
setInterval(() => {
  const { at, process: worked, thread } = watch
  begin()
  const stallMs = watch.at - at - tickMs
  if (stallMs <= 0) return
  watch.stallMs = Math.max(watch.stallMs, stallMs)
  watch.busyMs = Math.max(watch.busyMs, Math.min(stallMs, watch.process - worked))
  watch.ownMs = Math.max(watch.ownMs, Math.min(stallMs, watch.thread - thread))
}, tickMs).unref()

const share = new Share()

const services: Record<string, (circuit: Circuit) => Promise<unknown>> = {
  async echo(circuit) {
    for await (const { part, payload } of circuit) if (!circuit.send({ part, payload })) await circuit.ready()
  },
  /** Sends for as long as the circuit lives. */
  async source(circuit) {
    const payload = new Uint8Array(64 * 1024).fill(5)
    while (circuit.state === 'open') if (!circuit.send({ payload })) await circuit.ready()
  },
  /** Takes circuits, and reads nothing. */
  unread: (circuit) => circuit.closed,
}
for (const [name, serve] of Object.entries(services)) {
  node.register(name, { open: 'anyone', start: 'anyone' }, async (peer) => {
    for await (const circuit of peer.incoming) serve(circuit).catch(() => undefined)
  })
}
/** Lets every circuit wait. */
node.register('untaken', { open: 'anyone', start: 'anyone' }, async (peer) => {
  await new Promise((resolve) => peer.signal.addEventListener('abort', resolve))
})

reportOnSignal(() => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const { sessions, budget } = node.snapshot()
  const report = {
    memory: heapUsed + external,
    rss,
    budget: budget.usedBytes,
    sessions: sessions.filter(({ state }) => state !== 'connecting').length,
    connecting: sessions.filter(({ state }) => state === 'connecting').length,
    sockets: process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length,
    refused: node.stats().sessions.refused,
    stallMs: watch.stallMs,
    busyMs: watch.busyMs,
    ownMs: watch.ownMs,
    cores: share.read(),
    waited: share.readWait(),
  }
  watch.stallMs = 0
  watch.busyMs = 0
  watch.ownMs = 0
  // To collect the garbage has taken its time, which nobody else has cost.
  begin()
  return report
})

console.log(`listening ${node.addresses[0]}`)
