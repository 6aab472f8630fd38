import { createHash } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNode } from 'plait'
import type { Circuit } from 'plait'

// The other side of the flow scenarios: a node in a process of its own with a few services. It prints its address.

const node = await createNode({ listen: ['tcp://127.0.0.1:0'] })
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()

/** Sends back what comes. */
async function echo(circuit: Circuit): Promise<void> {
  for await (const { payload, part, subject, args } of circuit) {
    if (!circuit.send({ payload, part, subject, args })) await circuit.ready()
  }
}

/** A service that keeps nothing of its own for a circuit, so that what is measured is what plait keeps. */
function mirror(circuit: Circuit): Promise<void> {
  circuit.receive((fragment) => void circuit.send({ part: fragment.part }))
  return Promise.resolve()
}

/** Leaves what comes unread for as long as the first fragment says, then reads all of it and says what it saw. */
async function late(circuit: Circuit): Promise<void> {
  const first = await circuit.read()
  await sleep(Number(first?.args['idleMs']))
  let count = 0
  let inOrder = true
  for await (const { part } of circuit) {
    inOrder &&= part === count
    count += 1
  }
  const { code, message } = await Promise.race([circuit.closed, Promise.resolve({ code: 0, message: '' })])
  console.log(JSON.stringify({ late: { count, inOrder, code, message } }))
  if (circuit.state === 'open') circuit.send({ args: { count: String(count), inOrder: String(inOrder) } })
}

/** Answers each fragment with the hash of its payload. */
async function hash(circuit: Circuit): Promise<void> {
  for await (const { payload } of circuit) {
    circuit.send({ subject: createHash('sha256').update(payload).digest('hex') })
  }
}

/** Answers each large fragment with 1 when it holds the pattern, looking at every 64th byte: a hash would stall this process. */
async function pattern(circuit: Circuit): Promise<void> {
  for await (const { payload } of circuit) {
    let wrong = 0
    for (let index = 0; index < payload.length; index += 64)
      if (payload[index] !== ((index * 31) >> 9) % 256) wrong += 1
    circuit.send({ part: wrong === 0 ? payload.length : -wrong })
  }
}

/** Takes all and says how much it was when the other side has ended. */
function sink(circuit: Circuit): Promise<void> {
  let bytes = 0
  circuit.receive((fragment) => {
    bytes += fragment.payload.length
    if (fragment.subject === 'last') circuit.send({ part: bytes })
  })
  return Promise.resolve()
}

/** Sends as many bytes as asked, in fragments of 64 KiB, then ends. */
async function source(circuit: Circuit): Promise<void> {
  const first = await circuit.read()
  const payload = new Uint8Array(64 * 1024).fill(5)
  for (let bytes = first?.part ?? 0; bytes > 0; bytes -= payload.length) {
    if (!circuit.send({ payload })) await circuit.ready()
  }
  circuit.end()
}

/** What this process holds and what the session with the asker looks like. */
async function report(circuit: Circuit): Promise<void> {
  for await (const { subject } of circuit) {
    if (subject === 'gc') globalThis.gc?.()
    const { heapUsed, external, rss } = process.memoryUsage()
    const { sessions } = node.snapshot()
    const circuits = sessions.flatMap((session) => session.circuits)
    circuit.send({
      args: {
        memory: String(heapUsed + external),
        rss: String(rss),
        circuits: String(circuits.length),
        unread: String(Math.max(0, ...circuits.map((each) => each.unreadBytes))),
        account: String(sessions.reduce((sum, session) => sum + session.accountBytes, 0)),
        stallMs: String(delay.max / 1e6),
      },
    })
    delay.reset()
  }
}

for (const [name, serve] of Object.entries({ echo, mirror, late, hash, pattern, sink, source, report })) {
  node.register(name, { open: 'anyone', start: 'anyone' }, async (peer) => {
    for await (const circuit of peer.incoming) serve(circuit).catch(() => undefined)
  })
}

console.log(`listening ${node.addresses[0]}`)
