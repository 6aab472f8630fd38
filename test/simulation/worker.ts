import { runSeed, type WorldName } from './seed.ts'

// Thousands of typed errors are made, and few of their stacks are read; `--seed` shows them.
Error.stackTraceLimit = 0

// A process that runs the seeds it is sent, one after the other, and answers each with its result.
const world = process.argv[2] as WorldName | undefined
let last: Promise<unknown> = Promise.resolve()
process.on('message', (seed: number) => {
  last = last.then(() => runSeed(seed, world)).then((result) => process.send?.(result))
})
process.on('disconnect', () => process.exit(0))
