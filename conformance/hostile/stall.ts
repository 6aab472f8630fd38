import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { setPriority } from 'node:os'
import { connect as connectTls } from 'node:tls'
import { createIdentity } from 'plait'

// Connections that begin a handshake and never finish it: nothing said, half a TLS record, TLS and then silence. They are
// stubborn, too: they never close, whatever the other side does.
//
//   stall.ts PORT COUNT ADDRESSES    from 127.0.0.1, or so many others of this machine in turn

const [port, total, addresses] = process.argv.slice(2).map(Number) as [number, number, number]
// Like those who attack: it takes what an honest node leaves.
setPriority(10)
const { key, certificate: cert } = createIdentity().tls()

/** How long the other side has put up with it, in ms: until its end, or its reset. */
function patience(socket: Socket): Promise<number> {
  const begun = performance.now()
  socket.resume().on('error', () => {})
  return new Promise((resolve) => {
    for (const event of ['end', 'close']) socket.once(event, () => resolve(performance.now() - begun))
  })
}

/** Resolves when the connection stands, or has failed. */
function connected(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => {
    for (const event of ['connect', 'secureConnect', 'close']) socket.once(event, resolve)
  })
}

const sockets = Array.from({ length: total }, (_, index) => {
  const localAddress = addresses === 0 ? '127.0.0.1' : `127.0.0.${100 + (index % addresses)}`
  const raw = connectTcp({ host: '127.0.0.1', port, localAddress, allowHalfOpen: true })
  if (index % 3 === 1) raw.write(Uint8Array.of(22, 3, 1))
  if (index % 3 !== 0) return raw
  return connectTls({ socket: raw, key, cert, rejectUnauthorized: false, ALPNProtocols: ['plait/1'] })
})
const ends = sockets.map(patience)
await Promise.all(sockets.map(connected))
console.log('stalling')
const waits = await Promise.all(ends)
console.log(`closed ${JSON.stringify({ closed: waits.length, latestMs: Math.max(...waits) })}`)
// They stay until the test is over.
setInterval(() => {}, 1_000)
