import { realpath } from 'node:fs/promises'
import { platform } from 'node:os'
import { type BackendType, subscribe } from '@parcel/watcher'
import ignore from 'ignore'
import type { MakePatternSet } from './path-rules.ts'
import type { WatchFolder } from './watch.ts'

// The packages that the drive is built on, as it takes them.

export const patternSet: MakePatternSet = () => ignore()

/** Left to choose, the library would run the program `watchman` to see whether it is there. */
const backends: Partial<Record<NodeJS.Platform, BackendType>> = {
  linux: 'inotify',
  darwin: 'fs-events',
  win32: 'windows',
}

export const watchFolder: WatchFolder = async (folder, { ignored, tell, fail }) => {
  const root = await realpath(folder)
  const backend = backends[platform()]
  const relative = (path: string): string => path.slice(root.length + 1).replaceAll('\\', '/')
  const subscription = await subscribe(
    root,
    (error, events) => {
      if (error !== null) fail(error)
      else tell(events.map(({ path }) => relative(path)))
    },
    { ignore: [...ignored], ...(backend && { backend }) },
  )
  return { close: () => subscription.unsubscribe() }
}
