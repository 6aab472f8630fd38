import { pathProblem } from '../../src/drive/tree-path.ts'
import { closing } from './row.ts'
import type { Outcome, Row } from './row.ts'

/** What becomes of an entry of a listing: one that cannot be is left out by name, and the rest goes on. */
function lists(path: string): Outcome {
  const problem = pathProblem(path)
  if (pathProblem('beside/it') !== undefined) throw new Error('the neighbour is refused')
  return problem === undefined ? { closed: 'nothing' } : { closed: 'nothing', code: 'PATH_REFUSED' }
}

/** Names of 100 bytes, with slashes between them, `amount` bytes in all. */
function pathOf(amount: number): string {
  const path = Array.from({ length: Math.ceil(amount / 100) }, () => 'x'.repeat(99)).join('/')
  return `${path}${'y'.repeat(100)}`.slice(0, amount)
}

/** Paths of a drive. */
export const driveRows: readonly Row[] = [
  { limit: 'pathBytes', attempt: (amount) => lists(pathOf(amount)), ...closing('nothing', 'PATH_REFUSED') },
  {
    limit: 'pathComponentBytes',
    attempt: (amount) => lists(`a/${'n'.repeat(amount)}/b`),
    ...closing('nothing', 'PATH_REFUSED'),
  },
  {
    limit: 'pathDepth',
    attempt: (amount) => lists(Array.from({ length: amount }, () => 'd').join('/')),
    ...closing('nothing', 'PATH_REFUSED'),
  },
]
