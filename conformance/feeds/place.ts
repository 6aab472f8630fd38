import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { expect } from 'vitest'
import { makePlace, type Place } from '../drive/place.ts'
import { plaitProgram, runProgram, startProgram, type Outcome, type Program } from '../support/process.ts'

/** A link to a feed. */
export const feedLink: RegExp = /^plait:\/\/\S+\/f#feed\.\S+$/

/** One machine: a store of its own, and nothing of the others. */
export interface Machine extends Place {
  readonly store: string
}

export function makeMachine(): Machine {
  const place = makePlace()
  return { ...place, store: join(place.base, 'state/plait/feeds'), env: { ...place.env, TMPDIR: place.source } }
}

/** Starts `plait feed ARGS`, with a standard input. */
export function startFeed({ env }: Machine, args: readonly string[]): Program {
  return startProgram(plaitProgram, ['feed', ...args], { env, input: true })
}

export async function runFeed(machine: Machine, args: readonly string[], input = ''): Promise<Outcome> {
  if (input === '') return runProgram(plaitProgram, ['feed', ...args], { env: machine.env, timeoutMs: 60_000 })
  const program = startFeed(machine, args)
  program.write(input)
  program.endInput()
  return program.outcome({ timeoutMs: 60_000 })
}

/** What it writes, when it ends well. */
export async function outputOf(machine: Machine, args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await runFeed(machine, args, input)
  expect([code, /^plait: /m.test(stderr)], stderr).toEqual([0, false])
  return stdout
}

/** A program that appends, and the link by which it is reached. */
export async function startAppend(
  machine: Machine,
  args: readonly string[] = ['--listen', '127.0.0.1:0'],
): Promise<{ program: Program; link: string }> {
  const program = startFeed(machine, ['append', ...args])
  const [link] = await program.line(feedLink, { stream: 'stderr' })
  return { program, link }
}

/** A program that serves, and the link that it prints: of a feed of its own store, or of one that it clones. */
export async function startServing(
  machine: Machine,
  args: readonly string[],
): Promise<{ program: Program; link: string }> {
  const program = startFeed(machine, [...args, '--listen', '127.0.0.1:0'])
  const [link] = await program.line(feedLink)
  return { program, link }
}

/** A line of shell in which `plait` is what was built; bytes in, bytes out. */
export function runShell({ env }: Machine, line: string, input: Uint8Array = new Uint8Array(0)): Uint8Array {
  const plait = `plait() { '${process.execPath}' '${plaitProgram}' "$@"; }`
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', `${plait}\n${line}`], {
    env: { ...process.env, ...env },
    input,
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  })
  expect(status, String(stderr)).toBe(0)
  return stdout
}
