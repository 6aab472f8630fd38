import { expect, it } from 'vitest'
import { PlaitError } from '../../../src/base/error.ts'
import { Rounds, type Job } from '../../../src/feed/storage/rounds.ts'

it('what is owed is not tried over and over while the files of its feed cannot be opened', async () => {
  let tries = 0
  const rounds = new Rounds({
    use: () => {
      tries += 1
      // Not for ever, so that this ends.
      return tries < 1_000 ? Promise.reject(new PlaitError('FILE_FAILED', 'no more files')) : new Promise(() => {})
    },
    commit: () => Promise.resolve(),
    settled: () => {},
  })
  const failures: string[] = []
  const job: Job = { bytes: 0, write: () => {}, written: () => {}, failed: ({ code }) => failures.push(code) }
  rounds.addFirst(job)
  await rounds.idle()
  expect([tries, failures]).toEqual([1, ['FILE_FAILED']])
  rounds.add(job)
  await rounds.idle()
  expect([tries, failures.length]).toEqual([2, 3])
})
