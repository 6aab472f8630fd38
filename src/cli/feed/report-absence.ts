import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import type { FeedHost } from './feed-host.ts'

/** Says when the node that is fetched from is gone, and when it is back: in between nothing moves, and nothing is wrong yet. */
export function reportAbsence(host: FeedHost, nodeId: string, terminal: Terminal, json: boolean): void {
  let isGone = false
  const tell = (event: 'lost' | 'resumed', message: string): void => {
    isGone = event === 'lost'
    if (json) terminal.print(jsonLine({ event, nodeId }))
    else terminal.note(message)
  }
  const gone = ({ detail }: { detail: { remoteId: string } }): void => {
    if (detail.remoteId === nodeId && !isGone && !host.isClosing)
      tell('lost', 'the connection was lost; it is tried again until it is back')
  }
  const back = ({ detail }: { detail: { remoteId: string } }): void => {
    if (detail.remoteId === nodeId && isGone) tell('resumed', 'the connection is back')
  }
  host.node?.addEventListener('lost', gone)
  host.node?.addEventListener('sessionend', gone)
  host.node?.addEventListener('resumed', back)
  host.node?.addEventListener('session', back)
}
