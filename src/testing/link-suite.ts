import { expectPlainly, type Expect } from './expectation.ts'
import { linkCases, type LinkPair } from './link-cases.ts'

/** What a test runner must offer: that of vitest, of `node:test`, and what resembles them. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => void
  readonly it: (name: string, body: () => Promise<void>) => void
  /** Says what differs in the runner's own way; a failing test throws a plain error when absent. */
  readonly expect?: Expect
}

/**
 * What every transport's links must do. For authors of transports: call it in a test file, with a function that makes a pair of new
 * links between two different nodes, and with the runner's functions. Each test is run from either end.
 */
export function linkSuite(name: string, makePair: () => Promise<LinkPair>, runner: TestRunner): void {
  const { describe, it, expect = expectPlainly } = runner
  describe(`link: ${name}`, () => {
    for (const { title, run } of linkCases) {
      for (const end of ['near', 'far'] as const) {
        it(`${title} (from the ${end} end)`, async () => {
          const pair = await makePair()
          const { near, far, timers } = pair
          try {
            const [sender, receiver] = end === 'near' ? [near, far] : [far, near]
            await run({ sender, receiver, timers, makePair }, expect)
          } finally {
            near.abort()
            far.abort()
            await pair.close?.()
          }
        })
      }
    }
  })
}
