import { plait } from './plait.ts'
import { rsyncOverSsh } from './rsync-ssh.ts'
import { rsync } from './rsync.ts'
import { syncthing, syncthingTuned } from './syncthing.ts'
import { limitOverSsh } from './tool-names.ts'
import type { FolderTool } from './tool.ts'
import { unison } from './unison.ts'

const tools: readonly FolderTool[] = [rsync, rsyncOverSsh, plait, unison, syncthing, syncthingTuned]

export function toolNamed(name: string): FolderTool {
  const tool = tools.find((candidate) => candidate.name === name)
  if (tool === undefined) throw new Error(`there is no ${name}`)
  return tool
}

/** `not installed: NAME`; undefined when it can run. */
export function missingTool(name: string): string | undefined {
  return toolNamed(name).version() === undefined ? `not installed: ${name === limitOverSsh ? 'sshd' : name}` : undefined
}
