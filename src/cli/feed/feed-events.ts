import type { Feed } from '../../feed/feed-api.ts'
import type { OpenReport } from '../../store/recovery.ts'
import { jsonLine, printable } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes, formatCount } from '../units.ts'

/** What people should know of a feed while it is in use, and not only its reader. */
export function reportFeed(feed: Feed, terminal: Terminal, json: boolean): void {
  const { id } = feed
  const tell = (event: string, facts: Readonly<Record<string, unknown>>, message: string): void => {
    if (json) terminal.print(jsonLine({ event, id, ...facts }))
    else terminal.note(`${id.slice(0, id.indexOf(':') + 9)}...: ${printable(message)}`)
  }
  feed.addEventListener('conflict', ({ detail }) =>
    tell(
      'conflict',
      detail,
      'its writer has signed two different versions of it, as is proven: nothing more is taken of it; ask who writes it for another feed',
    ),
  )
  feed.addEventListener('truncate', ({ detail }) =>
    tell('truncate', detail, `its writer has taken back what followed on block ${formatCount(detail.length)}`),
  )
  feed.addEventListener('behind', ({ detail }) =>
    tell(
      'behind',
      detail,
      `others have ${formatCount(detail.theirLength)} blocks of it, this store ${formatCount(detail.length)}; the missing ones are fetched before any more are appended`,
    ),
  )
  feed.addEventListener('caughtup', ({ detail }) =>
    tell('caughtup', detail, `all ${formatCount(detail.length)} blocks are here again`),
  )
  feed.addEventListener('lost', ({ detail: { runs, error } }) =>
    tell(
      'lost',
      { runs, code: error.code, message: error.message },
      `blocks that were here cannot be read any more (${error.message}); they are fetched from others`,
    ),
  )
}

/** What was found when the store was opened, if it was not in order. */
export function reportOpening({ torn, rot }: OpenReport, terminal: Terminal, json: boolean): void {
  if (json) {
    if (torn !== undefined || rot.length > 0) terminal.print(jsonLine({ event: 'damage', torn, rot }))
    return
  }
  if (torn !== undefined) {
    const { bytes, path } = torn
    terminal.note(
      `the store was not closed in order: ${formatBytes(bytes)} that were never acknowledged are set aside in ${printable(path)}`,
    )
  }
  if (rot.length > 0) {
    terminal.note(
      `warning: the disk has damaged ${countOf(rot.length, 'part')} of the store; blocks that are lost are fetched again from who has them`,
    )
  }
}
