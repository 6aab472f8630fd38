import { fileURLToPath } from 'node:url'
import { OrderProcess } from '../harness/order-process.ts'
import type { Latencies } from './order.ts'

const floorFile = fileURLToPath(new URL('floor-end.ts', import.meta.url))

/** What a process of the floors does: a part of what a group does, by the simplest means. */
export interface FloorOrders {
  /** Without a folder nothing is kept. */
  serve: { readonly order: { readonly folder?: string }; readonly answer: { readonly address: string } }
  /** Each operation is synced in the folder, if there is one, then goes to the address and back, if there is one. */
  run: {
    readonly order: {
      readonly folder?: string
      readonly address?: string
      readonly operations: number
      readonly inFlight: number
      readonly bytes: number
    }
    readonly answer: { readonly seconds: number; readonly resolved: Latencies }
  }
}

export async function withFloors<Result>(
  run: (near: OrderProcess<FloorOrders>, far: OrderProcess<FloorOrders>) => Promise<Result>,
): Promise<Result> {
  const [near, far] = [
    new OrderProcess<FloorOrders>(floorFile, [], 'floor'),
    new OrderProcess<FloorOrders>(floorFile, [], 'floor'),
  ]
  try {
    return await run(near, far)
  } finally {
    await Promise.all([near.end(), far.end()])
  }
}
