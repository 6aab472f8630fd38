import { watch } from 'chokidar'
import ignore from 'ignore'
import type { MakePatternSet } from './path-rules.ts'
import type { WatchFolder } from './watch.ts'

// The packages that the drive is built on, as it takes them.

export const patternSet: MakePatternSet = () => ignore()

export const watchFolder: WatchFolder = (folder, options) => watch(folder, options)
