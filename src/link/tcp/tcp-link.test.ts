import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../base/limits.ts'
import { createIdentity } from '../../identity/identity.ts'
import { systemClock } from '../../runtime/system/clock.ts'
import { systemTimers } from '../../runtime/system/timers.ts'
import { linkSuite } from '../../testing/link-suite.ts'
import type { Link } from '../link.ts'
import { tcpTransport } from './tcp-transport.ts'

const near = createIdentity()
const far = createIdentity()
const common = { limits: defaultLimits, runtime: { timers: systemTimers, clock: systemClock } }

for (const freshReads of [false, true]) {
  linkSuite(
    freshReads ? 'tcp, a buffer for each read' : 'tcp',
    async () => {
      let accept!: (link: Link) => void
      const accepted = new Promise<Link>((resolve) => (accept = resolve))
      const listener = await tcpTransport({ ...common, freshReads, identity: far }).listen(
        { host: '127.0.0.1', port: 0 },
        accept,
      )
      const link = await tcpTransport({ ...common, freshReads, identity: near }).dial(listener.address, {
        remoteId: far.id,
      })
      return { near: link, far: await accepted, timers: systemTimers, close: () => listener.close() }
    },
    { describe, it, expect },
  )
}
