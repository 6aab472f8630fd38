import type { PlaitNode } from '../node/node-api.ts'
import { jsonLine } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** How long the program's sessions look for a new link before they are given up: a person is waiting. */
export const programResumeMs = 10_000

/** Says when the connection is lost and found again: in between nothing moves, and nothing is wrong yet. */
export function reportConnection(node: PlaitNode, terminal: Terminal, json: boolean): void {
  node.addEventListener('lost', ({ detail }) => {
    if (json) terminal.print(jsonLine({ event: 'lost', nodeId: detail.remoteId, retryMs: programResumeMs }))
    else terminal.note(`the connection was lost; trying for ${programResumeMs / 1_000} s to get it back`)
  })
  node.addEventListener('resumed', ({ detail }) => {
    if (json) terminal.print(jsonLine({ event: 'resumed', nodeId: detail.remoteId }))
    else terminal.note('the connection is back')
  })
}
