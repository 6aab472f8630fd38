import { createNode } from 'plait'
import { exchange } from './exchange.ts'

// The end of a link that dials: sends numbers and takes numbers, over one circuit, and says what has come.
//
//   near.ts ADDRESS TOTAL FORMS

const [address, total, forMs] = process.argv.slice(2) as [string, string, string]
const node = await createNode()
const circuit = await node.peer('near').open(`${address}/numbers`, { args: { total, forMs } })
console.log('open')
const tally = await exchange(circuit, Number(total), Number(forMs))
const { sessions, circuits } = node.stats()
const resumes = node.snapshot().sessions[0]?.resumes
console.log(
  `numbers ${JSON.stringify({ ...tally, circuit: circuit.id, resumes, opened: sessions.opened, circuits: circuits.opened })}`,
)
await node.close()
