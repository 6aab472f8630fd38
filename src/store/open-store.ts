import type { Runtime } from '../runtime/runtime.ts'
import { systemRuntime } from '../runtime/system/system-runtime.ts'
import { MemoryView } from './memory-view.ts'
import { lockStore } from './node/lock.ts'
import { openSqliteView } from './node/sqlite-view.ts'
import type { View, ViewSource } from './view.ts'

export interface StoreOptions {
  /** Doors for tests: its disk is the store's, and nobody else is kept from it. The system's disk below the folder when absent. */
  readonly runtime?: Runtime
  /** In which views are kept; files of SQLite below the folder when absent. */
  readonly openView?: (path: string, source: ViewSource) => View
}

/** A folder with one owner, in which feeds and what is derived from them are kept. */
export interface Store extends AsyncDisposable {
  /** As it was given. */
  readonly folder: string
  /** Its disk begins at the folder. */
  readonly runtime: Runtime
  /** Opens a view in a file below the folder, or makes it; see `ViewSource` for when it begins from nothing. */
  openView(path: string, source: ViewSource): View
  /** Lets others have it. Close what was opened on it before. Idempotent. */
  close(): Promise<void>
}

/**
 * Takes the store in a folder, which is made when it is missing, for this process. Rejects with `STORE_IN_USE` (fact `pid`) while another
 * process has it, and `FILE_FAILED`.
 */
export async function openStore(folder: string, options: StoreOptions = {}): Promise<Store> {
  const { runtime } = options
  const release = runtime === undefined ? await lockStore(folder) : () => {}
  const close = (): Promise<void> => Promise.resolve(release())
  return {
    folder,
    runtime: runtime ?? systemRuntime({ root: folder }),
    openView:
      options.openView ?? ((path, source) => openViewBelow(runtime === undefined ? folder : undefined, path, source)),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** One that is forgotten when there is no folder of the system's. */
function openViewBelow(folder: string | undefined, path: string, source: ViewSource): View {
  return folder === undefined ? new MemoryView() : openSqliteView(`${folder}/${path}`, source)
}
