import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programVersion } from './program-version.ts'
import type { FolderTool } from './tool.ts'

const module = 'folder'
const port = 7_003

/** The rsync daemon, which neither encrypts nor proves who somebody is: the limit for folders. */
export const rsync: FolderTool = {
  name: 'rsync',
  settings: '--archive --delete from a daemon, without encryption',
  timesWithinNs: 0n,
  isLive: false,
  version: () => programVersion('rsync', ['--version']),
  open: async ({ near, far }) => {
    const configuration = join(near.scratch, 'rsyncd.conf')
    writeFileSync(configuration, configurationOf(near.folder))
    const where = [`--address=${near.address}`, `--port=${port}`]
    const daemon = near.start(['rsync', '--daemon', '--no-detach', `--config=${configuration}`, ...where], {})
    const from = `rsync://${near.address}:${port}/${module}/`
    await daemon.until('does not answer', async () => {
      return await far.run(['rsync', from], {}).then(
        () => true,
        () => undefined,
      )
    })
    return {
      once: async () => await far.run(['rsync', '--archive', '--delete', from, `${far.folder}/`], {}),
      close: async () => await near.stop(daemon, 'SIGTERM'),
    }
  },
}

function configurationOf(folder: string): string {
  // Without these two, a daemon of the superuser reads as nobody.
  const owner = process.getuid?.() === 0 ? 'uid = 0\ngid = 0\n' : ''
  // The names of addresses are nothing to wait for.
  return `use chroot = no\nreverse lookup = no\n${owner}[${module}]\npath = ${folder}\nread only = yes\n`
}
