import { mkdirSync } from 'node:fs'
import { programVersion } from './program-version.ts'
import type { FolderTool } from './tool.ts'

const port = 7_004

/** Unison over its own socket, without encryption. */
export const unison: FolderTool = {
  name: 'unison',
  settings: '-batch -times -perms -1 -fastcheck true over a socket, without encryption',
  timesWithinNs: 999_999_999n,
  isLive: false,
  version: () => programVersion('unison', ['-version']),
  open: async ({ near, far }) => {
    const env = { UNISON: near.scratch, HOME: near.scratch }
    const server = near.start(['unison', '-socket', String(port), '-listen', near.address], env)
    await server.says((printed) => /started/.exec(printed) ?? undefined)
    mkdirSync(far.folder, { recursive: true })
    const roots = [far.folder, `socket://${near.address}:${port}/${near.folder}`]
    const options = [
      '-batch',
      '-confirmbigdel=false',
      '-times',
      '-perms',
      '-1',
      '-fastcheck',
      'true',
      '-logfile',
      '/dev/null',
    ]
    return {
      once: async () => {
        await far.run(['unison', ...roots, ...options, '-silent', '-ignorelocks'], {
          UNISON: far.scratch,
          HOME: far.scratch,
        })
      },
      close: async () => await near.stop(server, 'SIGTERM'),
    }
  },
}
