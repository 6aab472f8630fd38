import { withFloors } from './floor-process.ts'
import type { Conditions, GroupResult } from './workload.ts'

export interface FloorShape {
  readonly operations: number
  readonly inFlight: number
  readonly bytes: number
}

const settingsByTool: Readonly<Record<string, string>> = {
  file: 'one plain file, fdatasync before an operation resolves; what waits meanwhile shares the next one',
  tls: 'raw TLS 1.3 there and back, one write a turn or for each 64 KiB; nothing is kept',
  'tls-file': 'a plain file with fdatasync here, then raw TLS, a plain file with fdatasync there, and back',
}

/** A part of what a publish does, by the simplest means. */
export async function measureFloor(tool: string, shape: FloorShape, { folder }: Conditions): Promise<GroupResult> {
  const settings = settingsByTool[tool]
  if (settings === undefined) throw new Error(`there is no floor ${tool}`)
  const folders = [folder.empty(), folder.empty()] as const
  const isKept = tool !== 'tls'
  const isSent = tool !== 'file'
  const { seconds, resolved } = await withFloors(async (near, far) => {
    const address = isSent ? (await far.ask('serve', isKept ? { folder: folders[1] } : {})).address : undefined
    const order = { ...(isKept && { folder: folders[0] }), ...(address !== undefined && { address }), ...shape }
    await near.ask('run', { ...order, operations: Math.ceil(shape.operations / 10) })
    return near.ask('run', order)
  })
  for (const one of folders) folder.remove(one)
  return {
    measures: [
      { metric: 'rate', unit: 'operations/s', value: shape.operations / seconds },
      { metric: 'p50', unit: 'ms', value: resolved.p50 },
      { metric: 'p99', unit: 'ms', value: resolved.p99 },
    ],
    version: `Node.js ${process.version}`,
    settings,
    reasonsVoid: [],
    profiles: {},
  }
}
