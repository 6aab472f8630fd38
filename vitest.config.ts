import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import type { Reporter } from 'vitest/node'
import { SkipReporter } from './scripts/skip-reporter.ts'

/** What the processes that tests start have compiled once, each of them need not compile again: half of their start. */
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/node', import.meta.url)) }

/**
 * Scenarios that have the machine for themselves, because they judge how long something takes: by heartbeats of parts of a second, by what
 * an honest node gets beside an attack, by what a run just before has taken, or by a rate.
 */
const alone = [
  'conformance/causal/frozen.test.ts',
  'conformance/drive/distance.test.ts',
  'conformance/{flow,hostile,links}/**/*.test.ts',
  'conformance/support/proxy.test.ts',
]

/** Those that use the package as a user has it, which is installed once for all of them. */
const packed = ['conformance/bench/**/*.test.ts', 'conformance/causal/newcomer.test.ts']

/** Real processes, sockets and clocks, against what was built: after everything else. */
const conformance = {
  env,
  testTimeout: 180_000,
  hookTimeout: 180_000,
}
const resolve = { alias: { 'plait/testing': built('testing/index.js'), plait: built('index.js') } }

/** Full counts have bounds for a machine with one scenario on it; the small ones leave room for another one. */
const filesAtOnce = process.env['PLAIT_COUNTS'] === '1' ? 1 : 2

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
          // All processors: nothing in it waits for the clock.
          maxWorkers: '100%',
          env,
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
          // Far more than any of them takes: what a busy machine does to it says nothing.
          testTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve,
        test: {
          ...conformance,
          name: 'conformance',
          include: ['conformance/**/*.test.ts'],
          exclude: [...alone, ...packed],
          maxWorkers: filesAtOnce,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve,
        test: {
          ...conformance,
          name: 'conformance-packed',
          include: packed,
          globalSetup: 'conformance/packed.ts',
          maxWorkers: filesAtOnce,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve,
        test: {
          ...conformance,
          name: 'conformance-alone',
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
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
