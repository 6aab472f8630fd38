import { missingOf } from './missing.ts'
import { isRival, lackOf, peerModule, shareOf, workloadModule } from './names.ts'
import type { BenchOptions } from './options.ts'
import { type PairOptions, type PairResult, runPair } from './pair.ts'
import { type AbsentRow, absentRow, type Sample } from './rows.ts'

type CampaignOptions = Pick<BenchOptions, 'peers' | 'repeat' | 'scale'>

/** What a run measures, workload by workload: samples, and a row with the reason wherever a peer has none. */
export class Campaign {
  readonly samples: Sample[] = []
  readonly absent: AbsentRow[] = []
  readonly #options: CampaignOptions
  readonly #runPair: (options: PairOptions) => Promise<PairResult>
  readonly #missingByPeer = new Map<string, string>()
  #failed = false

  constructor(
    options: CampaignOptions,
    run: (options: PairOptions) => Promise<PairResult> = runPair,
    missing: (peer: string) => string | undefined = missingOf,
  ) {
    this.#options = options
    this.#runPair = run
    for (const peer of options.peers) {
      const reason = missing(peer)
      if (reason !== undefined) this.#missingByPeer.set(peer, reason)
    }
  }

  /** Whether any peer is not installed. */
  get lacksPeer(): boolean {
    return this.#missingByPeer.size > 0
  }

  /** Whether a rival ended in an error. */
  get failed(): boolean {
    return this.#failed
  }

  /** Those that are installed and have the means. */
  runnable(workload: string): readonly string[] {
    return this.#options.peers.filter((peer) => this.#reasonAgainst(peer, workload) === undefined)
  }

  /** All peers once, then all again, so that what disturbs the machine disturbs all of them. */
  async measure(workload: string): Promise<void> {
    for (const peer of this.#options.peers) {
      const reason = this.#reasonAgainst(peer, workload)
      if (reason !== undefined) this.absent.push(absentRow(workload, peer, reason))
    }
    const peers = new Set(this.runnable(workload))
    for (let repeat = 0; repeat < this.#options.repeat; repeat += 1) {
      for (const peer of peers) {
        const sample = await this.#sample(workload, peer, repeat)
        if (sample === undefined) peers.delete(peer)
        else this.samples.push(sample)
      }
    }
  }

  async once(workload: string, peer: string, profiled: boolean): Promise<PairResult & { readonly scale: number }> {
    const scale = this.#options.scale * shareOf(peer, workload)
    try {
      const modules = { workloadModule: workloadModule(workload), peerModule: peerModule(peer) }
      return { scale, ...(await this.#runPair({ ...modules, scale, profiled })) }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new Error(`${workload} over ${peer}: ${message}`, { cause: error })
    }
  }

  /** A rival that fails costs its row; plait or the raw rows cost the run. */
  async #sample(workload: string, peer: string, repeat: number): Promise<Sample | undefined> {
    try {
      return { workload, peer, repeat, ...(await this.once(workload, peer, false)) }
    } catch (error) {
      if (!isRival(peer)) throw error
      this.#failed = true
      this.absent.push(absentRow(workload, peer, `failed: ${error instanceof Error ? error.message : String(error)}`))
      return undefined
    }
  }

  #reasonAgainst(peer: string, workload: string): string | undefined {
    const lack = lackOf(peer, workload)
    return this.#missingByPeer.get(peer) ?? (lack === undefined ? undefined : `cannot: ${lack}`)
  }
}
