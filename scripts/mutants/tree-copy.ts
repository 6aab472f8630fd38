import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root, type Mutant } from './mutant.ts'

/** A copy of the checkout as it stands, with what is not committed, that may be broken as one likes. */
export class TreeCopy {
  readonly folder: string = mkdtempSync(join(realpathSync(tmpdir()), 'plait-mutant-'))

  constructor() {
    for (const path of listTree()) {
      mkdirSync(join(this.folder, dirname(path)), { recursive: true })
      copyFileSync(root + path, join(this.folder, path))
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'), 'dir')
  }

  /** Plants the bug. Returns why that is not possible, or undefined. */
  plant({ file }: Mutant): string | undefined {
    return apply(this.folder, file)
  }

  /** Puts everything back that the mutant has changed. */
  restore({ paths }: Mutant): void {
    for (const path of paths) copyFileSync(root + path, join(this.folder, path))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Whether a patch fits to the checkout, without changing anything: what git says against it, or undefined. */
export function misfit({ file }: Mutant): string | undefined {
  return apply(root, file, '--check')
}

function apply(folder: string, file: string, ...options: string[]): string | undefined {
  const { status, stderr, error } = spawnSync('git', ['-c', 'safe.directory=*', 'apply', ...options, file], {
    cwd: folder,
    // Of a repository around the folder git would take the paths to be relative to that, and do nothing.
    env: { ...process.env, GIT_CEILING_DIRECTORIES: dirname(folder) },
    encoding: 'utf8',
  })
  return status === 0 ? undefined : (error?.message ?? stderr.trim())
}

function listTree(): string[] {
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '' && existsSync(root + path) && lstatSync(root + path).isFile())
}
