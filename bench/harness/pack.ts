import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Beside the modules that import it, and apart from the packages of the other peers: neither installation disturbs the other. */
const peerFolder = fileURLToPath(new URL('../peers/plait', import.meta.url))
const rootFolder = fileURLToPath(new URL('../..', import.meta.url))

/** Packs the package as it would be published and installs that, so that the rows use what a user gets. */
export function installPackage(): void {
  const run = (folder: string, ...args: string[]): string =>
    execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const [packed] = JSON.parse(run(rootFolder, 'pack', '--json', '--silent', '--pack-destination', peerFolder)) as [
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
