import { PlaitError } from '../base/error.ts'
import type { Timers } from '../runtime/timers.ts'
import type { Peer } from './node-api.ts'

/** What was sent gets so long to arrive: a node that has just vanished would be waited for until its session is given up. */
const farewellMs = 2_000

/** Closes a peer whose users lose nothing when what is on its way does not arrive, because it is said again another time. */
export async function bidFarewell(peer: Peer, timers: Timers): Promise<void> {
  const circuits = [...peer.circuits]
  const timer = timers.after(farewellMs, () => {
    for (const circuit of circuits)
      circuit.abort(new PlaitError('CLOSE_TIMEOUT', 'the other node was not heard of while this one was closed'))
  })
  await peer.close()
  timer.cancel()
}
