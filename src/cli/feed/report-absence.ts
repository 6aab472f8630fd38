import type { PlaitNode } from '../../node/node-api.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

/** Says when the node that is fetched from is gone, and when it is back: in between nothing moves, and nothing is wrong yet. */
export function reportAbsence(node: PlaitNode, nodeId: string, terminal: Terminal, json: boolean): void {
  let isGone = false
  const tell = (event: 'lost' | 'resumed', message: string): void => {
    isGone = event === 'lost'
    if (json) terminal.print(jsonLine({ event, nodeId }))
    else terminal.note(message)
  }
  const gone = ({ detail }: { detail: { remoteId: string } }): void => {
    if (detail.remoteId === nodeId && !isGone)
      tell('lost', 'the connection was lost; it is tried again until it is back')
  }
  const back = ({ detail }: { detail: { remoteId: string } }): void => {
    if (detail.remoteId === nodeId && isGone) tell('resumed', 'the connection is back')
  }
  node.addEventListener('lost', gone)
  node.addEventListener('sessionend', gone)
  node.addEventListener('resumed', back)
  node.addEventListener('session', back)
}
