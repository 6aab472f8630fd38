import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { programPath } from '../harness/missing.ts'
import { programVersion } from './program-version.ts'
import type { FolderTool } from './tool.ts'

const port = 7_005
/** Where an SSH server that is started by the superuser wants an empty folder. */
const emptyFolder = '/run/sshd'

/** rsync over SSH, with a server and keys of its own. */
export const rsyncOverSsh: FolderTool = {
  name: 'rsync-ssh',
  settings: '--archive --delete over ssh, default ciphers',
  timesWithinNs: 0n,
  isLive: false,
  version: () => {
    const [server, program] = [programPath('sshd'), programVersion('rsync', ['--version'])]
    return server === undefined || program === undefined ? undefined : `${program}; ${sshVersion()}`
  },
  open: async ({ near, far }) => {
    const [serverKey, userKey] = [join(near.scratch, 'server'), join(far.scratch, 'user')]
    for (const key of [serverKey, userKey])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key], { stdio: 'ignore' })
    const [known, allowed] = [join(far.scratch, 'known'), join(near.scratch, 'allowed')]
    copyFileSync(`${userKey}.pub`, allowed)
    const configuration = join(near.scratch, 'sshd_config')
    // By the first one, a shell that would read the user's files first takes itself for one within another.
    const lines = [
      'SetEnv SHLVL=2',
      'UsePAM no',
      'StrictModes no',
      'PermitRootLogin yes',
      `AuthorizedKeysFile ${allowed}`,
    ]
    writeFileSync(configuration, [`HostKey ${serverKey}`, 'PidFile none', ...lines, ''].join('\n'))
    if (process.getuid?.() === 0) mkdirSync(emptyFolder, { recursive: true })
    const where = ['-p', String(port), '-o', `ListenAddress=${near.address}`]
    const server = near.start([programPath('sshd') ?? 'sshd', '-D', '-e', '-f', configuration, ...where], {})
    const trust = `-o UserKnownHostsFile=${known} -o StrictHostKeyChecking=accept-new -o BatchMode=yes`
    const ssh = `ssh -F none -i ${userKey} -p ${port} ${trust}`
    const from = `${userInfo().username}@${near.address}:${near.folder}/`
    await server.says((printed) => /listening/.exec(printed) ?? undefined)
    return {
      once: async () => await far.run(['rsync', '--archive', '--delete', '-e', ssh, from, `${far.folder}/`], {}),
      close: async () => await near.stop(server, 'SIGTERM'),
    }
  },
}

function sshVersion(): string {
  // To standard error, whatever is asked.
  return execFileSync('sh', ['-c', 'ssh -V 2>&1'], { encoding: 'utf8' }).trim()
}
