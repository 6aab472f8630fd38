import { Profile } from './harness/profile.ts'
import type { Job, Order, Report } from './harness/job.ts'
import { cpuSeconds, peakMiB } from './harness/usage.ts'
import type { CreatePeer } from './peers/peer.ts'
import type { DialEnd, ListenEnd, Workload } from './workloads/workload.ts'

// One of the two processes of a run; started by harness/pair.ts, which speaks to it over the channel of `fork`.

process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)
// When the bench was ended by force, nothing of it stays.
process.on('disconnect', () => process.exit(1))

const job = JSON.parse(process.argv[2] ?? '') as Job
const { workload } = (await import(job.workloadModule)) as { workload: Workload }
const { createPeer } = (await import(job.peerModule)) as { createPeer: CreatePeer }
const peer = createPeer()
let address = job.address ?? ''
const end: ListenEnd | DialEnd =
  job.side === 'listen' ? await listen() : await workload.dial({ peer, scale: job.scale }, address)
const profile = job.profiled ? new Profile() : undefined
let beganSeconds = 0

process.on('message', (order: Order) => {
  if (order === 'begin') begin().catch(fail)
  else if (order === 'finish') finish().catch(fail)
  else process.exit(0)
})
report({ step: 'prepared', address, version: peer.version, settings: peer.settings })

async function listen(): Promise<ListenEnd> {
  const listening = workload.listen({ peer, scale: job.scale })
  address = await peer.listen((channel) => listening.accept(channel))
  return listening
}

async function begin(): Promise<void> {
  end.begin?.()
  await profile?.begin()
  beganSeconds = cpuSeconds(peer.otherPids)
  report({ step: 'begun' })
  if ('run' in end) report({ step: 'ran', ...(await end.run()) })
}

async function finish(): Promise<void> {
  const used = cpuSeconds(peer.otherPids) - beganSeconds
  const peak = peakMiB(peer.otherPids)
  const sampled = (await profile?.finish()) ?? []
  const measures = end.finish?.() ?? []
  report({ step: 'finished', cpuSeconds: used, peakMiB: peak, measures, proof: await peer.proof(), profile: sampled })
}

function report(message: Report): void {
  process.send?.(message)
}

/** A wrong order or a wrong sum is an exception somewhere below: it ends the run, not only this process. */
function fail(error: unknown): void {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.send?.({ step: 'failed', message } satisfies Report, () => process.exit(1))
}
