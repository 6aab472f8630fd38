import type { Group, GroupId } from '../causal/group-api.ts'
import { createReplica, preparedField } from '../causal/replica.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import { keyFromWriter } from '../crdt/dot.ts'
import { formatFeedId } from '../feed/feed-id.ts'
import { ContentDigester } from './content/node/content-digester.ts'
import { ViewChunkIndex } from './content/view-chunk-index.ts'
import { Contents } from './contents.ts'
import { fileError } from './disk/file-error.ts'
import { FileThread } from './disk/file-thread.ts'
import { placerHere } from './disk/fresh-files.ts'
import { groupLinkOf } from './drive-link.ts'
import type { CreateDriveOptions, Drive, DriveOptions } from './drive-api.ts'
import { driveSchema, filesType } from './files-type.ts'
import { DiskIndex } from './folder/disk-index.ts'
import { FolderChunkIndex } from './folder/folder-chunk-index.ts'
import { patternSet, watchFolder } from './folder/folder-libraries.ts'
import { writeFolderMarker } from './folder/folder-marker.ts'
import { PathRules } from './folder/path-rules.ts'
import { PlaitFolder } from './folder/plait-folder.ts'
import { FolderWatch } from './folder/watch.ts'
import { OpenDrive } from './open-drive.ts'
import { Reconciler } from './reconciler.ts'
import { baseName } from './tree-path.ts'

/** Another number when the tables of the views of drives change: they are made anew then. */
const viewFormat = 3

/** History is kept for so long, as far as there is room for it. */
const historyBounds = { days: 30, bytes: 10 * 1024 * 1024 * 1024 }

/** A folder becomes a drive, of which this node is the only member. Rejects with `FILE_FAILED` for a folder that cannot be used. */
export async function createDrive(options: CreateDriveOptions): Promise<Drive> {
  const name = (options.name ?? baseName(options.folder)) || 'drive'
  return open(options, true, () => options.groups.create({ name }))
}

/**
 * Joins a drive by a link that a member has made (`Drive.invite`); what is in the folder already stays, beside what the drive has. Resolves
 * when a member has let this node in. Rejects as `Groups.join`.
 */
export async function joinDrive(link: string, options: DriveOptions & WaitOptions): Promise<Drive> {
  const groupLink = groupLinkOf(link)
  return open(options, true, () => options.groups.join(groupLink, options))
}

/** A drive that was created or joined with the store before. A folder that has lost its marker is left alone. */
export async function openDrive(id: GroupId, options: DriveOptions): Promise<Drive> {
  return open(options, false, () => options.groups.open(id))
}

async function open(options: DriveOptions, isNew: boolean, enter: () => Promise<Group>): Promise<Drive> {
  const { feeds, folder: folderPath, isWatching = true, isSynced = true } = options
  const { runtime } = feeds.store
  const closing = new AsyncDisposableStack()
  try {
    // Nothing is made before somebody has let this node in.
    const group = closing.use(await enter())
    const folder = PlaitFolder.open(folderPath, { wallMs: () => runtime.clock.wallMs(), isNew })
    closing.defer(() => folder.close())
    const replica = await createReplica(group, driveSchema)
    if (isNew) mark(folder, folderPath, group.id, options.copy ?? '')
    // All members have the feed of the founder: whoever has a chunk is asked for it there.
    const feed = await feeds.open(formatFeedId({ name: keyFromWriter(group.id), isSealed: false }))
    const source = { logId: keyFromWriter(group.id), logEnd: Infinity, format: viewFormat }
    const view = feeds.store.openView(`groups/${group.id}.drive`, source)
    closing.defer(() => view.close())
    const digester = new ContentDigester(runtime)
    closing.defer(() => digester.close())
    // What does not wait for a disk is done where it is asked for, in the order in which it is.
    const placer = isSynced ? new FileThread() : placerHere
    closing.defer(() => placer.close())
    const rules = new PathRules({ patternSet, ignore: options.ignore ?? [], only: options.only ?? [] })
    const opened: { drive?: OpenDrive } = {}
    const stale = (): void => opened.drive?.wake()
    const diskIndex = await DiskIndex.open(view)
    const index = new FolderChunkIndex(diskIndex, await ViewChunkIndex.open(view))
    const { bytesPerSecondMax } = options
    const contents = new Contents({ folder, index, feed, digester, runtime, stale, bytesPerSecondMax })
    const field = preparedField(replica, 'files', filesType)
    const parts = { drive: group.id, folder, view, index: diskIndex, field, contents, rules, runtime, isSynced, placer }
    const reconciler = await Reconciler.open(parts)
    const drive = new OpenDrive({
      folderPath,
      feeds,
      group,
      replica,
      feed,
      folder,
      view,
      field,
      rules,
      digester,
      placer,
      contents,
      reconciler,
      isReadOnly: options.isReadOnly ?? false,
      isPassive: options.isPassive ?? false,
    })
    opened.drive = drive
    folder.history.prune(historyBounds)
    const watchOptions = { watch: watchFolder, timers: runtime.timers, rules }
    const watch = (changed: (paths?: ReadonlySet<string>) => void, failed: () => void): FolderWatch =>
      new FolderWatch(folderPath, { ...watchOptions, onChange: changed, onFailure: failed })
    drive.start(isWatching ? watch : undefined)
    closing.move()
    return drive
  } catch (error) {
    await closing.disposeAsync()
    throw error
  }
}

function mark(folder: PlaitFolder, path: string, drive: GroupId, copy: string): void {
  try {
    writeFolderMarker(folder.root, { drive, copy })
  } catch (error) {
    throw fileError(error, path)
  }
}
