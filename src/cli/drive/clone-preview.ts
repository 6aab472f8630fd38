import { openDrive } from '../../drive/drive.ts'
import type { DrivePreview, PreviewStep } from '../../drive/preview.ts'
import { patternSet } from '../../drive/folder/folder-libraries.ts'
import { PathRules } from '../../drive/folder/path-rules.ts'
import type { Terminal } from '../terminal.ts'
import type { Copy } from './copy-state.ts'
import { DriveHost, type HostFlags } from './drive-host.ts'
import { reportPreview } from './preview-report.ts'
import { caughtUp, visit } from './visit.ts'

/** Says what a clone would fetch; of a folder that is cloned already, what has changed. */
export async function previewClone(
  link: string,
  copy: Copy,
  flags: HostFlags & { readonly wait: number },
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { json = false, wait } = flags
  const waitMs = wait * 1_000
  const options = { flags, terminal, waitMs, signal }
  const { driveId } = copy
  const preview =
    driveId === undefined ? await previewNew(link, copy, options) : await previewKnown(copy, driveId, options)
  terminal.live('')
  reportPreview(preview, terminal, json)
  return 0
}

type Options = Parameters<typeof visit>[1]

function previewNew(link: string, { only = [], ignore = [] }: Copy, options: Options): Promise<DrivePreview> {
  const rules = new PathRules({ patternSet, only, ignore })
  return visit(link, options, async (drive) => {
    const incoming = drive.entries().flatMap(({ path, version: { kind, size } }): PreviewStep[] => {
      return rules.leavesOut(path, kind === 'directory') ? [] : [{ kind: 'create', path, size }]
    })
    return { incoming, outgoing: [], problems: [], hold: undefined }
  })
}

async function previewKnown(
  copy: Copy,
  driveId: string,
  { flags, terminal, waitMs, signal }: Options,
): Promise<DrivePreview> {
  await using host = await DriveHost.open({ copy, role: 'clone', flags, terminal, waitMs, isTrial: true })
  const drive = await host.use((options) => openDrive(driveId, { ...options, isPassive: true }), false)
  await caughtUp(drive, waitMs, signal)
  return await drive.preview({ signal })
}
