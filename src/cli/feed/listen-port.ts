import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const fileName = 'listen-port'

/** The port at which the store was served last, so that links given out go on to work. */
export function readListenPort(folder: string): number | undefined {
  try {
    const port = Number(readFileSync(join(folder, fileName), 'utf8'))
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
  } catch {
    return undefined
  }
}

/** Keeps it, if that is possible: it is a convenience. */
export function writeListenPort(folder: string, port: number): void {
  try {
    writeFileSync(join(folder, fileName), `${port}\n`, { mode: 0o600 })
  } catch {
    // The next run gets another port.
  }
}
