import { futimesSync, lutimesSync } from 'node:fs'

// Node hands times to the system as a double of seconds: the nearest one to a present time is up to 120 ns away.

export function setFileTime(fd: number, mtimeNs: bigint): void {
  const time = secondsOf(mtimeNs)
  futimesSync(fd, time, time)
}

export function setLinkTime(path: string, mtimeNs: bigint): void {
  const time = secondsOf(mtimeNs)
  lutimesSync(path, time, time)
}

/** From before 1970 as text: Node takes a negative number for "now", but a negative text for what it says. */
function secondsOf(mtimeNs: bigint): number | string {
  const nanoseconds = mtimeNs % second
  const seconds = Number((mtimeNs - nanoseconds) / second) + Number(nanoseconds) / 1e9
  return seconds < 0 ? String(seconds) : seconds
}

const second = 1_000_000_000n
