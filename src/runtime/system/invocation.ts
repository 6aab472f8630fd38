import { relative } from 'node:path'

/** How this process was started, for whatever wants to be started again alike. */
export interface Invocation {
  /** The environment's `PLAIT_SEED`. */
  readonly seed: string | undefined
  /** The environment's `PLAIT_TRACE` is set. */
  readonly traces: boolean
  /** The command that starts the same program again, as far as it can be known. */
  readonly command: string
}

/** Read anew at each call. */
export function invocation(): Invocation {
  const { PLAIT_SEED: seed, PLAIT_TRACE: trace, VITEST: vitest } = process.env
  return {
    seed: seed === '' ? undefined : seed,
    traces: trace !== undefined && trace !== '' && trace !== '0',
    // Under vitest the program is a worker of its own.
    command: vitest === undefined ? `node ${relative(process.cwd(), process.argv[1] ?? '')}`.trim() : 'npx vitest run',
  }
}

/** Prints to the standard output. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Calls `handler` for each rejection that nobody handles, until the returned function is called. */
export function onUnhandledRejection(handler: (error: unknown) => void): () => void {
  process.on('unhandledRejection', handler)
  return () => void process.off('unhandledRejection', handler)
}
