import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Beside the modules that import it, and apart from the packages of the other peers: neither installation disturbs the other. */
const peerFolder = fileURLToPath(new URL('../peers/plait', import.meta.url))
const rootFolder = fileURLToPath(new URL('../..', import.meta.url))

/** When what is installed was built; gone with it. */
const stampFile = join(peerFolder, 'node_modules', 'plait', '.built')

/** Set when the package is installed: programs that this one starts need not do it again. */
const installed = 'PLAIT_BENCH_INSTALLED'

/**
 * Packs the package as it would be published and installs that, so that the rows use what a user gets. With `isBuilt` what was built
 * is packed as it is, since others may be using it, unless that very build is installed already.
 */
export function installPackage({ isBuilt = false }: { readonly isBuilt?: boolean } = {}): void {
  if (process.env[installed] !== undefined) return
  const build = isBuilt ? String(statSync(join(rootFolder, 'dist', 'index.js')).mtimeMs) : ''
  if (!isBuilt || !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== build) install(isBuilt)
  writeFileSync(stampFile, build)
  process.env[installed] = 'yes'
}

function install(isBuilt: boolean): void {
  const run = (folder: string, ...args: string[]): string =>
    execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const flags = ['--json', '--silent', ...(isBuilt ? ['--ignore-scripts'] : [])]
  const [packed] = JSON.parse(run(rootFolder, 'pack', ...flags, '--pack-destination', peerFolder)) as [
    { filename: string },
  ]
  const tarball = join(peerFolder, packed.filename)
  try {
    // An installed copy of the same version would be taken for the new one.
    rmSync(join(peerFolder, 'node_modules', 'plait'), { recursive: true, force: true })
    run(
      peerFolder,
      'install',
      '--prefix',
      peerFolder,
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--prefer-offline',
      '--no-fund',
      '--silent',
      tarball,
    )
  } finally {
    rmSync(tarball, { force: true })
  }
}
