import { Directory } from '../../drive/disk/directory.ts'
import { patternSet } from '../../drive/folder/folder-libraries.ts'
import { PathRules } from '../../drive/folder/path-rules.ts'
import { walkFolder } from '../../drive/folder/walk.ts'
import { jsonLine, printable } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes } from '../units.ts'
import type { Copy } from './copy-state.ts'

/** Says what a share would give others, and makes nothing. */
export function previewShare({ folder, only = [], ignore = [] }: Copy, terminal: Terminal, json: boolean): void {
  const root = Directory.root(folder)
  let [files, bytes] = [0, 0]
  try {
    for (const step of walkFolder(root, new PathRules({ patternSet, only, ignore }))) {
      if ('skipped' in step) {
        const { path, reason } = step.skipped
        if (json) terminal.print(jsonLine({ event: 'problem', path, reason }))
        else terminal.note(`not shared: ${printable(`${path} ${reason}`)}`)
        continue
      }
      if ('passed' in step) continue
      const { path, kind, size } = step.entry
      if (kind === 'file') files += 1
      bytes += size
      if (json) terminal.print(jsonLine({ event: 'outgoing', kind: 'create', path, size }))
      else terminal.print(printable(kind === 'directory' ? `${path}/` : path))
    }
  } finally {
    root.close()
  }
  if (json) terminal.print(jsonLine({ event: 'preview', outgoing: files, bytes }))
  else terminal.note(`would share ${countOf(files, 'file')}, ${formatBytes(bytes)}; nothing was done`)
}
