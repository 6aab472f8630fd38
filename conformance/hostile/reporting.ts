import { readFileSync } from 'node:fs'

/** On each SIGUSR2 prints a line `report N JSON` with what `read` says, N from 1. */
export function reportOnSignal(read: () => object): void {
  let serial = 0
  process.on('SIGUSR2', () => {
    serial += 1
    console.log(`report ${serial} ${JSON.stringify(read())}`)
  })
}

/** How much of a core this process has used, or has waited for, since that was asked the last time. */
export class Share {
  #at = performance.now()
  #used = process.cpuUsage()
  #waitAt = performance.now()
  #waitedMs = waitedMs()

  read(): number {
    const { user, system } = process.cpuUsage(this.#used)
    const share = (user + system) / 1_000 / (performance.now() - this.#at)
    this.#at = performance.now()
    this.#used = process.cpuUsage()
    return share
  }
  /** The part of the time in which its main thread could have run, and others had the processor. */
  readWait(): number {
    const now = performance.now()
    const waited = waitedMs()
    const share = (waited - this.#waitedMs) / (now - this.#waitAt)
    this.#waitAt = now
    this.#waitedMs = waited
    return share
  }
}

/** How long the main thread has waited for a processor, where the system says so. */
function waitedMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}
