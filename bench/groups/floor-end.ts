import { join } from 'node:path'
import { FileWriter } from '../feeds/file.ts'
import { portOf } from '../feeds/tool.ts'
import { takeOrders } from '../harness/order-process.ts'
import { createTlsPeer } from '../peers/raw/tls-peer.ts'
import type { FloorOrders } from './floor-process.ts'
import { LatencyLog, machineMs } from './latency-log.ts'
import { PayloadWriter } from './payload.ts'

// A process of the floors of the bench of groups; started by floor-process.ts, which gives the orders.

takeOrders({ serve, run })

/** Sends everything back, when it is synced if there is a folder. */
async function serve({ folder }: FloorOrders['serve']['order']): Promise<FloorOrders['serve']['answer']> {
  const file = folder === undefined ? undefined : await FileWriter.create(join(folder, 'operations'))
  const port = await createTlsPeer(true).listen((channel) =>
    channel.receive((bytes, start, end) => {
      const own = bytes.slice(start, end)
      if (file === undefined) channel.send(own)
      else void file.append([own]).then(() => channel.send(own))
    }),
  )
  return { address: `127.0.0.1:${port}` }
}

async function run(order: FloorOrders['run']['order']): Promise<FloorOrders['run']['answer']> {
  const { folder, address, operations, inFlight, bytes } = order
  const file = folder === undefined ? undefined : await FileWriter.create(join(folder, 'operations'))
  const away = address === undefined ? undefined : await dial(address)
  const payloads = new PayloadWriter(bytes)
  const resolved = new LatencyLog()
  let next = 0
  const began = machineMs()
  const one = async (): Promise<void> => {
    while (next < operations) {
      const number = next
      next += 1
      const sentMs = machineMs()
      const payload = payloads.write({ isData: true, writer: 0, place: number, sentMs })
      await file?.append([payload])
      await away?.(payload)
      resolved.add(machineMs() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  return { seconds: (machineMs() - began) / 1_000, resolved: resolved.summary() }
}

/** Resolves with each message when it has come back, in order. */
async function dial(address: string): Promise<(payload: Uint8Array) => Promise<void>> {
  const connection = await createTlsPeer(true).dial(String(portOf(address)))
  const channel = await connection.open()
  const waiting: (() => void)[] = []
  let taken = 0
  channel.receive(() => {
    waiting[taken]?.()
    taken += 1
  })
  return (payload) =>
    new Promise((resolve) => {
      waiting.push(resolve)
      channel.send(payload)
    })
}
