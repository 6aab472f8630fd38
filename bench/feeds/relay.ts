import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Pipe, type PipeShape } from '../../conformance/support/pipe.ts'
import type { RelayCount, RelayOptions } from './relay-process.ts'

// A process between two others: it counts their bytes and brings them late; started by relay-process.ts.

process.on('disconnect', () => process.exit(1))

const { targetPort, delayMs, bytesPerSecond } = JSON.parse(process.argv[2] ?? '') as RelayOptions
const shape: PipeShape = { delayMs, bytesPerSecond: bytesPerSecond ?? Infinity }
let up = 0
let down = 0
const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
  join(near, far, (bytes) => (up += bytes))
  join(far, near, (bytes) => (down += bytes))
}).listen(0, '127.0.0.1')
await once(server, 'listening')
process.on('message', () => report({ port: 0, up, down }))
report({ port: (server.address() as AddressInfo).port, up, down })

function join(from: Socket, to: Socket, count: (bytes: number) => void): void {
  const flow = (): void => void (pipe.full || to.writableNeedDrain ? from.pause() : from.resume())
  const pipe = new Pipe(shape, (bytes) => {
    if (!to.destroyed) to.write(bytes)
    flow()
  })
  from.on('data', (bytes: Uint8Array) => {
    count(bytes.length)
    pipe.put(bytes)
    flow()
  })
  to.on('drain', flow)
  from.on('error', () => {})
  from.on('close', () => pipe.end(() => to.destroySoon()))
}

function report(count: RelayCount): void {
  process.send?.(count)
}
