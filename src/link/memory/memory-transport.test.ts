import { describe, expect, it } from 'vitest'
import { simulatedIdentity } from '../../identity/simulated.ts'
import { systemRandom } from '../../runtime/system/random.ts'
import { systemTimers } from '../../runtime/system/timers.ts'
import { linkSuite } from '../../testing/link-suite.ts'
import { memoryLinks, MemoryNetwork, memoryTransport } from './memory-transport.ts'

const near = simulatedIdentity(Uint8Array.of(1)).id
const far = simulatedIdentity(Uint8Array.of(2)).id
const runtime = { timers: systemTimers, random: systemRandom() }

linkSuite(
  'memory',
  async () => {
    const [dialled, accepted] = memoryLinks(runtime, near, far)
    return { near: dialled, far: accepted, timers: systemTimers }
  },
  { describe, it, expect },
)

describe('memory transport', () => {
  it('joins a dialler and a listener that know each other', async () => {
    const network = new MemoryNetwork(runtime)
    const links: string[] = []
    const listener = await memoryTransport({ network, id: far }).listen({ host: 'any', port: 0 }, (link) =>
      links.push(link.remoteId),
    )
    const link = await memoryTransport({ network, id: near }).dial(listener.address, { remoteId: far })
    expect([links, link.remoteId, link.dialled]).toEqual([[near], far, true])
  })

  it('refuses a port that is taken, a place where nobody listens, and another node', async () => {
    const network = new MemoryNetwork(runtime)
    const transport = memoryTransport({ network, id: far })
    const listener = await transport.listen({ host: 'any', port: 7 }, () => {})
    await expect(transport.listen({ host: 'any', port: 7 }, () => {})).rejects.toMatchObject({
      code: 'INVALID_ADDRESS',
    })
    await expect(transport.dial({ host: 'any', port: 8 }, { remoteId: far })).rejects.toMatchObject({
      code: 'UNREACHABLE',
    })
    await expect(transport.dial(listener.address, { remoteId: near })).rejects.toMatchObject({
      code: 'WRONG_KEY',
      facts: { found: far },
    })
    await listener.close()
    await listener.close()
    await expect(transport.dial(listener.address, { remoteId: far })).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })

  it('rejects a dial with the reason of its signal, before and during', async () => {
    const network = new MemoryNetwork(runtime)
    const transport = memoryTransport({ network, id: far })
    let accepted = 0
    const { address } = await transport.listen({ host: 'any', port: 0 }, () => (accepted += 1))
    const reason = new Error('changed my mind')
    await expect(transport.dial(address, { remoteId: far, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const dialling = transport.dial(address, { remoteId: far, signal: controller.signal })
    controller.abort(reason)
    await expect(dialling).rejects.toBe(reason)
    expect(accepted).toBe(0)
  })
})
