import { createInterface } from 'node:readline'

/** The first line of standard input. */
export async function firstLine(signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, signal })
  for await (const line of lines) {
    lines.close()
    process.stdin.destroy()
    return line
  }
  signal.throwIfAborted()
  return ''
}
