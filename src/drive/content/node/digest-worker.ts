import { parentPort } from 'node:worker_threads'
import type { DigestAnswer, DigestJob } from './digest-job.ts'
import { readContent } from './file-content.ts'

/** Progress is told once in so many bytes: for a person, not for a program. */
const progressBytes = 16 * 1024 * 1024

// The program of a worker that cuts and hashes files, one after the other.
parentPort?.on('message', (job: DigestJob) => {
  const answer = answerTo(job)
  const pages = answer.kind === 'done' ? (answer.content?.pages ?? []) : []
  parentPort?.postMessage(
    answer,
    pages.map(({ bytes }) => bytes.buffer as ArrayBuffer),
  )
})

function answerTo({ id, fd, size, ended }: DigestJob): DigestAnswer {
  let told = 0
  try {
    const content = readContent(fd, size, {
      isEnded: () => Atomics.load(ended, 0) !== 0,
      progress: (bytes) => {
        if (bytes - told < progressBytes) return
        told = bytes
        parentPort?.postMessage({ id, kind: 'progress', bytes } satisfies DigestAnswer, [])
      },
    })
    return { id, kind: 'done', content }
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown }
    return { id, kind: 'failed', code: typeof code === 'string' ? code : '', message }
  }
}
