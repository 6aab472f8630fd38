import { createNode } from 'plait'
import type { Circuit, NodeEventName, NodeOptions } from 'plait'
import { exchange } from './exchange.ts'

// The end of a link that is dialled: a node in a process of its own. It prints its address, then what happens to it, each with
// the time of its own clock in ms.
//
//   far.ts [OPTIONS]    OPTIONS: those of the node, as JSON

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions
const node = await createNode({ listen: ['tcp://127.0.0.1:0'], ...options })

function say(what: string, facts: object): void {
  console.log(`${what} ${JSON.stringify({ ...facts, ms: performance.now() })}`)
}

for (const name of ['suspect', 'recovered', 'lost', 'resumed', 'sessionend'] satisfies NodeEventName[]) {
  node.addEventListener(name, (event) => say('event', { name, remoteId: event.detail.remoteId }))
}

/** What the circuits of `log` have brought, by the subject of their first fragment. */
const logs: Record<string, number[]> = {}

const services: Record<string, (circuit: Circuit) => Promise<void>> = {
  /** Sends numbers and takes numbers, as many as the first fragment says. */
  async numbers(circuit) {
    const first = await circuit.read()
    const tally = await exchange(circuit, Number(first?.args['total']), Number(first?.args['forMs']))
    const [session] = node.snapshot().sessions
    say('numbers', { ...tally, circuit: circuit.id, resumes: session?.resumes, opened: node.stats().sessions.opened })
  },
  /** Notes what comes, and sends it back. */
  async log(circuit) {
    let log: number[] | undefined
    for await (const { part, subject } of circuit) {
      if (log === undefined) logs[subject] = log = []
      else log.push(part)
      circuit.send({ part })
    }
  },
  /** Says what has been noted. */
  async logs(circuit) {
    const live = node.stats().circuits.live
    circuit.send({
      args: Object.fromEntries(Object.entries(logs).map(([name, log]) => [name, log.join()])),
      part: live,
    })
    await circuit.read()
  },
}

for (const [name, serve] of Object.entries(services)) {
  node.register(name, { open: 'anyone', start: 'anyone' }, async (peer) => {
    for await (const circuit of peer.incoming) {
      serve(circuit).catch(() => undefined)
      void circuit.closed.then(({ code, error }) => say('closed', { name, code: error?.code ?? code }))
    }
  })
}

console.log(`listening ${node.addresses[0]}`)
