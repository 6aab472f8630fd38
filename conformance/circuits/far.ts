import { createNode } from 'plait'
import type { Circuit, Peer } from 'plait'

// The other side of the scenarios of circuits and sessions: a node in a process of its own. It prints its address.
//
//   far.ts [KEYFILE PORT]

const [keyFile, port = '0'] = process.argv.slice(2)
const node = await createNode({ ...(keyFile === undefined ? {} : { keyFile }), listen: [`tcp://127.0.0.1:${port}`] })

/** What the desk's circuits have brought, and its side of the account. */
const tally = { fragments: 0, errors: 0, live: 0 }
let desk: Peer | undefined

/** Sends ten fragments and an error, and counts what comes; opens one more circuit when asked to. */
async function work(circuit: Circuit): Promise<void> {
  for (let part = 0; part < 10; part += 1) circuit.send({ part })
  circuit.send({ error: { code: 5_000, message: 'far' } })
  void count(circuit)
  for await (const { subject } of circuit) {
    if (subject === 'open back') void work(await circuit.open({ subject: 'from afar' }))
    else if (subject === 'close') await circuit.close()
    else tally.fragments += 1
  }
}

async function count(circuit: Circuit): Promise<void> {
  for await (const { error } of circuit.errors) tally.errors += error.code === 5_001 ? 1 : 1_000
}

node.register('desk', { open: 'anyone', start: 'anyone' }, async (peer) => {
  desk = peer
  for await (const circuit of peer.incoming) void work(circuit)
})

/** Says what the desk has counted. */
node.register('census', { open: 'anyone', start: 'anyone' }, async (peer) => {
  for await (const circuit of peer.incoming) {
    for await (const _ of circuit) {
      const { circuits, sessions, fragments } = node.stats()
      tally.live = desk?.circuits.size ?? 0
      const counted = { ...tally, circuits: circuits.live, sessions: sessions.live, received: fragments.received }
      circuit.send({ args: Object.fromEntries(Object.entries(counted).map(([key, value]) => [key, String(value)])) })
    }
  }
})

/** Starts a service of the asker, opens a circuit to it, and tells what came back. */
node.register('errand', { open: 'anyone', start: 'anyone' }, async (peer) => {
  for await (const circuit of peer.incoming) {
    for await (const { args } of circuit) {
      const url = await node.startRemote(args['address'] ?? '', args['service'] ?? '')
      await using back = await peer.open(url, { subject: 'first' })
      const answer = await back.read()
      circuit.send({ subject: answer?.subject ?? '', args: { url } })
    }
  }
})

/** Sends back what comes, and says who it is: another process has another number. */
node.register('echo', { open: 'anyone', start: 'anyone' }, async (peer) => {
  const serve = async (circuit: Circuit): Promise<void> => {
    for await (const { part } of circuit) circuit.send({ part, op: process.pid })
  }
  for await (const circuit of peer.incoming) serve(circuit).catch(() => undefined)
})

node.register('private', { open: [], start: [] }, async () => {})

console.log(`listening ${node.addresses[0]}`)
