import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  plaitProgram,
  runProgram,
  startProgram,
  type Outcome,
  type Program,
  type ProgramOptions,
} from '../support/process.ts'

/** Folders of one test, gone when it is over. */
export interface Place {
  readonly base: string
  /** Exists, and is empty. */
  readonly source: string
  /** Does not exist. */
  readonly target: string
  readonly env: Readonly<Record<string, string>>
}

/** A program that shares. */
export interface Sharing {
  readonly program: Program
  readonly link: string
  readonly port: number
}

export function makePlace(parent: string = tmpdir()): Place {
  const base = realpathSync(mkdtempSync(join(parent, 'plait-conformance-')))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const source = join(base, 'source')
  mkdirSync(source)
  return {
    base,
    source,
    target: join(base, 'target'),
    env: { XDG_STATE_HOME: join(base, 'state'), XDG_RUNTIME_DIR: join(base, 'run') },
  }
}

export async function startShare(
  place: Place,
  args: readonly string[] = ['--listen', '127.0.0.1:0'],
  options: ProgramOptions = {},
): Promise<Sharing> {
  const program = startProgram(plaitProgram, ['share', place.source, ...args], {
    ...options,
    env: { ...place.env, ...options.env },
  })
  const [link] = await program.line(/^plait:\/\/\S+$/)
  const port = Number(/@[^/]*?:(\d+)/.exec(link)?.[1])
  return { program, link, port }
}

export function startClone(place: Place, link: string, args: readonly string[] = []): Program {
  return startProgram(plaitProgram, ['clone', link, place.target, '--once', ...args], { env: place.env })
}

export function runClone(place: Place, link: string, args: readonly string[] = []): Promise<Outcome> {
  return startClone(place, link, args).outcome({ timeoutMs: 60_000 })
}

/** Runs `plait` with these arguments to its end. */
export function runPlait(place: Place, args: readonly string[]): Promise<Outcome> {
  return runProgram(plaitProgram, args, { env: place.env })
}

/** The lines of JSON that a program has printed, as records. */
export function jsonLines(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
