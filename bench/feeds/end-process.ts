import { fileURLToPath } from 'node:url'
import { OrderProcess } from '../harness/order-process.ts'
import type { Orders } from './order.ts'

const endFile = fileURLToPath(new URL('end.ts', import.meta.url))

/** A process with one tool, as its parent sees it. */
export class EndProcess extends OrderProcess<Orders> {
  constructor(tool: string) {
    super(endFile, [tool], tool)
  }
}

/** Runs something with a process of its own for each of these tools, which are gone when it is done. */
export async function withEnds<Result>(
  tools: readonly string[],
  run: (...ends: EndProcess[]) => Promise<Result>,
): Promise<Result> {
  const ends = tools.map((tool) => new EndProcess(tool))
  try {
    return await run(...ends)
  } finally {
    await Promise.all(ends.map((end) => end.end()))
  }
}
