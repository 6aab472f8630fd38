import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

/** Vitest's JSON report does not say why a test left itself out; this keeps what it said. */
export class SkipReporter implements Reporter {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => {
        const result = test.result()
        return { name: test.fullName, reason: result.state === 'skipped' ? (result.note ?? '') : '' }
      }),
    )
    writeFileSync(this.#file, JSON.stringify(skipped))
  }
}
