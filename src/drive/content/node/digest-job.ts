import type { FileContent } from './file-content.ts'

/** What a worker is asked to read. The descriptor is the process's, and stays open until the worker has answered. */
export interface DigestJob {
  readonly id: number
  readonly fd: number
  readonly size: number
  /** One number: other than 0 when nobody waits for it any more. */
  readonly ended: Int32Array
}

/** What it answers: how far it is, any number of times, and then once what came of it. */
export type DigestAnswer =
  | { readonly id: number; readonly kind: 'progress'; readonly bytes: number }
  /** No content: the file was shorter, or the job was ended. */
  | { readonly id: number; readonly kind: 'done'; readonly content: FileContent | undefined }
  | { readonly id: number; readonly kind: 'failed'; readonly code: string; readonly message: string }
