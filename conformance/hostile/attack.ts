import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { attacks } from './attacks.ts'
import { Stranger } from './stranger.ts'

// Attacks, each over one connection after another, each connection by a new key, from several addresses of this machine.
//
//   attack.ts NAME[,NAME...] ADDRESS COUNT FORMS PATIENCEMS    FORMS 0: one connection
//
// A connection that the node has not ended after PATIENCEMS is left.
//
// It prints `attacking` when each has a connection, and at the end what became of all.

const [names, address, count, forMs, patienceMs] = process.argv.slice(2) as [string, string, string, string, string]
// Those who attack have machines of their own: here they take what the others leave.
setPriority(10)

const begun = performance.now()
let standing = 0
const all = names.split(',')
const reports = await Promise.all(all.map(async (name, index) => [name, await run(name, 2 + index)] as const))
console.log(`report ${JSON.stringify(Object.fromEntries(reports))}`)
process.exit()

async function run(name: string, host: number): Promise<object> {
  const attack = attacks[name]
  if (attack === undefined) throw new Error(`no attack is called ${name}`)
  const report = { rounds: 0, cut: 0, unreached: 0, latestMs: 0, open: 0, codes: {} as Tally, resets: {} as Tally }
  do {
    const localAddress = `127.0.0.${host + 16 * (report.rounds % 8)}`
    const stranger = await Stranger.greet(address, { localAddress }).catch(() => undefined)
    if (stranger === undefined) {
      report.unreached += 1
      await sleep(20)
      continue
    }
    if (report.rounds === 0 && (standing += 1) === all.length) console.log('attacking')
    report.rounds += 1
    // What has begun may end in its own time, but not for ever.
    const leftMs =
      Math.max(0, begun + Number(forMs) - performance.now()) +
      (Number(forMs) === 0 ? 60_000 : Number(patienceMs) + 1_000)
    let isCut = false
    const bell = setTimeout(() => {
      isCut = true
      stranger.leave()
    }, leftMs)
    await attack(stranger, Number(count))
    clearTimeout(bell)
    if (isCut) {
      report.cut += 1
      break
    }
    const said = performance.now()
    const over = await Promise.race([stranger.closed, sleep(Number(patienceMs), undefined, { ref: false })])
    if (over === undefined) report.open += 1
    else report.latestMs = Math.max(report.latestMs, over - said)
    add(report.codes, stranger.goodbye?.code ?? (over === undefined ? 'open' : 'without a word'), 1)
    for (const [code, times] of stranger.resets) add(report.resets, code, times)
    stranger.leave()
  } while (performance.now() - begun < Number(forMs))
  return report
}

type Tally = Record<string, number>

function add(tally: Tally, code: string, times: number): void {
  tally[code] = (tally[code] ?? 0) + times
}
