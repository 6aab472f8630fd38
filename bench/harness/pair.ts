import type { NodeProof } from '../peers/peer.ts'
import type { Measure } from '../workloads/workload.ts'
import { EndProcess } from './end-process.ts'
import type { Job, Side } from './job.ts'

export interface PairOptions {
  readonly workloadModule: string
  readonly peerModule: string
  readonly scale: number
  /** For each process, the whole timed part included. */
  readonly timeoutMs?: number
  /** Sample both processes during the timed part, which slows it. */
  readonly profiled?: boolean
}

export interface PairResult {
  readonly version: string
  readonly settings: string
  readonly measures: readonly Measure[]
  readonly proof: Readonly<Record<Side, readonly NodeProof[]>>
  /** Where each end spent its time, as lines of text; empty unless asked for. */
  readonly profile: Readonly<Record<Side, readonly string[]>>
}

/** Runs one workload over one peer once, in two processes. Rejects when either end finds anything wrong. */
export async function runPair(options: PairOptions): Promise<PairResult> {
  const { workloadModule, peerModule, scale, timeoutMs = 300_000, profiled = false } = options
  const job = { workloadModule, peerModule, scale, profiled } satisfies Partial<Job>
  const ends: EndProcess[] = []
  const stop = async (): Promise<void> => void (await Promise.all(ends.map((end) => end.end())))
  const start = (job: Job): EndProcess => {
    const end = new EndProcess(job)
    ends.push(end)
    return end
  }
  try {
    const listener = start({ ...job, side: 'listen' })
    const { address, version, settings } = await listener.next('prepared', timeoutMs)
    const dialler = start({ ...job, side: 'dial', address })
    // What the consumer finds wrong it throws where the dialler would wait for ever.
    const measured = measure(listener, dialler, timeoutMs)
    return { version, settings, ...(await Promise.race([measured, listener.failed()])) }
  } catch (error) {
    // The end that is hurt by the other's failure may be heard first: what both have to say tells the cause.
    await stop()
    const messages = ends.flatMap(({ failure }) => failure?.message ?? [])
    throw messages.length === 0 ? error : new Error(messages.join('\n'), { cause: error })
  } finally {
    await stop()
  }
}

async function measure(
  listener: EndProcess,
  dialler: EndProcess,
  timeoutMs: number,
): Promise<Omit<PairResult, 'version' | 'settings'>> {
  await dialler.next('prepared', timeoutMs)
  listener.order('begin')
  await listener.next('begun', timeoutMs)
  dialler.order('begin')
  await dialler.next('begun', timeoutMs)
  const { measures, work } = await dialler.next('ran', timeoutMs)
  listener.order('finish')
  dialler.order('finish')
  const [listen, dial] = await Promise.all([listener.next('finished', timeoutMs), dialler.next('finished', timeoutMs)])
  const cpuSeconds = listen.cpuSeconds + dial.cpuSeconds
  const { perSecond } = work
  return {
    measures: [
      ...measures,
      { metric: 'cpu', unit: work.unit, value: cpuSeconds / work.amount },
      ...(perSecond === undefined
        ? []
        : [{ metric: 'perCpuSecond', unit: perSecond.unit, value: perSecond.amount / cpuSeconds }]),
      { metric: 'cpuDial', unit: work.unit, value: dial.cpuSeconds / work.amount },
      { metric: 'cpuListen', unit: work.unit, value: listen.cpuSeconds / work.amount },
      { metric: 'peakDial', unit: 'MiB', value: dial.peakMiB },
      { metric: 'peakListen', unit: 'MiB', value: listen.peakMiB },
      ...dial.measures,
      ...listen.measures,
    ],
    proof: { listen: listen.proof, dial: dial.proof },
    profile: { listen: listen.profile, dial: dial.profile },
  }
}
