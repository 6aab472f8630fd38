import type { PlaitNode } from '../node/node-api.ts'
import { jsonLine } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** How long the program looks for a node, or for a new link to it, unless it is told otherwise: a person is waiting. */
export const programResumeMs = 10_000

/**
 * Says when the connection is lost and found again: in between nothing moves, and nothing is wrong yet. `retryMs`: the
 * node's `resumeMs`.
 */
export function reportConnection(node: PlaitNode, retryMs: number, terminal: Terminal, json: boolean): void {
  node.addEventListener('lost', ({ detail }) => {
    if (json) terminal.print(jsonLine({ event: 'lost', nodeId: detail.remoteId, retryMs }))
    else terminal.note(`the connection was lost; trying for ${retryMs / 1_000} s to get it back`)
  })
  node.addEventListener('resumed', ({ detail }) => {
    if (json) terminal.print(jsonLine({ event: 'resumed', nodeId: detail.remoteId }))
    else terminal.note('the connection is back')
  })
}
