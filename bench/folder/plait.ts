import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startServer, stopServer } from './server-process.ts'
import type { Tool } from './tool.ts'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const manifest = new URL('../../package.json', import.meta.url)

/** `plait share` and `plait clone`, as built. */
export const plait: Tool = {
  name: 'plait',
  version: () =>
    `plait ${(JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version}, Node.js ${process.version}`,
  serve: async (folder, scratch) => {
    const env = { XDG_STATE_HOME: scratch, XDG_CONFIG_HOME: scratch, XDG_RUNTIME_DIR: scratch }
    const { child, pid, ready: link } = await startServer([process.execPath, program, 'share', folder], env, linkIn)
    return {
      pid,
      fetch: (target) => ({ command: [process.execPath, program, 'clone', link, target, '--once'], env }),
      stop: () => stopServer(child, 'SIGINT'),
    }
  },
}

/** The link is whole when something follows it. */
function linkIn(printed: string): string | undefined {
  return /(plait:\/\/\S+)\s/.exec(printed)?.[1]
}
