import { PlaitError } from '../../src/base/error.ts'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import type { PlaitNode } from '../../src/node/node-api.ts'

/** What an honest node has for strangers: each service does one honest thing with every circuit. */
export type Prey = 'reader' | 'idler' | 'pourer' | 'sitter'

/** So much is sent by the pourer before it closes: more than a stranger grants. */
const pouredFragments = 40
const pouredBytes = 8_000

/** Registers them. Whatever a stranger does to a circuit, its end here is typed. */
export function registerPrey(node: PlaitNode, violation: (text: string) => void): void {
  const open = { open: 'anyone', start: 'anyone' } as const
  const serve = (name: Prey, use: (circuit: Circuit) => Promise<void>): void => {
    node.register(name, open, async (peer) => {
      for await (const circuit of peer.incoming) {
        use(circuit).catch((error: unknown) => {
          if (!PlaitError.is(error)) violation(`${name} failed untyped: ${String(error)}`)
        })
      }
    })
  }
  serve('reader', async (circuit) => {
    for await (const { payload } of circuit)
      circuit.send({ payload: payload.subarray(0, 100), part: 1 }, { copy: true })
  })
  serve('idler', async (circuit) => void (await circuit.closed))
  serve('pourer', async (circuit) => {
    const payload = new Uint8Array(pouredBytes).fill(7)
    for (let index = 0; index < pouredFragments; index += 1) circuit.send({ payload })
    await circuit.close({ code: 28, message: 'that is all' })
  })
  // Runs, and takes nobody.
  node.register(
    'sitter',
    open,
    (peer) => new Promise((resolve) => peer.signal.addEventListener('abort', () => resolve())),
  )
}
