import { PlaitError } from '../base/error.ts'
import type { Transport } from '../link/link.ts'
import type { Network } from './network.ts'
import { defaultPort, type Process } from './process.ts'

/** Links of one process over the network of its world (scheme `sim`). */
export function simulatedTransport(network: Network, process: Process): Transport {
  return {
    scheme: 'sim',
    dial: (address, options) => network.dial(process, address, options),
    listen: async (address, accept) => {
      const port = address.port === 0 ? defaultPort : address.port
      if (process.acceptsByPort.has(port))
        throw new PlaitError('INVALID_ADDRESS', `port ${port} is in use; choose another one, or 0`)
      process.acceptsByPort.set(port, accept)
      return {
        address: { host: process.host.address, port },
        close: async () => {
          if (process.acceptsByPort.get(port) === accept) process.acceptsByPort.delete(port)
        },
      }
    },
  }
}
