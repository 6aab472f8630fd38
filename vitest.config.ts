import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import type { Reporter } from 'vitest/node'
import { SkipReporter } from './scripts/skip-reporter.ts'

/** What the processes that tests start have compiled once, each of them need not compile again: half of their start. */
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/node', import.meta.url)) }

/** No retries anywhere: a test that fails now and then is a finding. */
const config: ViteUserConfig = defineConfig({
  test: {
    reporters: reporters(process.env['PLAIT_TEST_REPORTS']),
    projects: [
      {
        test: {
          name: 'unit',
          // A worker takes one file after the other: half of the time of a run was the start of workers.
          isolate: false,
          env,
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
          // Far more than any of them takes: what a busy machine does to it says nothing.
          testTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real processes, sockets and clocks, against what was built: one file at a time, after everything else.
        resolve: { alias: { 'plait/testing': built('testing/index.js'), plait: built('index.js') } },
        test: {
          name: 'conformance',
          env,
          include: ['conformance/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})

export default config

function built(path: string): string {
  return fileURLToPath(new URL(`./dist/${path}`, import.meta.url))
}

/** With a folder, reports for `.ci/run` go there, besides what a person reads. */
function reporters(folder: string | undefined): (string | [string, Record<string, unknown>] | Reporter)[] {
  if (folder === undefined) return ['default']
  return ['default', ['json', { outputFile: `${folder}/tests.json` }], new SkipReporter(`${folder}/skipped.json`)]
}
