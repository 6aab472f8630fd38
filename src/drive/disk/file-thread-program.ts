import { parentPort } from 'node:worker_threads'
import type { PlaceJob } from './file-thread.ts'
import { placeFresh } from './fresh-files.ts'

// The program of a thread that places files.
parentPort?.on('message', ({ files, bytes, isSynced }: PlaceJob) => {
  let offset = 0
  const whole = files.map(({ length, ...file }) => {
    const content = bytes.subarray(offset, offset + length)
    offset += length
    return { ...file, bytes: content }
  })
  parentPort?.postMessage(placeFresh(whole, isSynced), [])
})
