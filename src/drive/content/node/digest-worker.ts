import { parentPort } from 'node:worker_threads'
import type { DigestAnswer, DigestJob } from './digest-job.ts'
import { DigestDesk } from './digest-desk.ts'

// The program of a worker that cuts and hashes files.
const desk = new DigestDesk(answer)
parentPort?.on('message', (job: DigestJob) => desk.take(job))

function answer(what: DigestAnswer): void {
  const pages = what.kind === 'done' ? (what.content?.pages ?? []) : []
  const owned = pages.map(({ bytes }) => bytes.buffer as ArrayBuffer)
  parentPort?.postMessage(what, owned)
}
