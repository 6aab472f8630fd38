import { spawnSync } from 'node:child_process'

/** The first line of what a program says of its version; undefined when it is not installed. */
export function programVersion(program: string, args: readonly string[]): string | undefined {
  const { stdout, error } = spawnSync(program, args, { encoding: 'utf8' })
  return error === undefined ? (stdout.split('\n')[0] ?? program).trim() : undefined
}
