import { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import type { Limits } from '../base/limits.ts'
import { createIdentity } from '../identity/identity.ts'
import type { Identity } from '../identity/identity.ts'
import { openKeyFile } from '../identity/key-file.ts'
import { NetworkKey } from '../identity/network-key.ts'
import type { Transport } from '../link/link.ts'
import { tcpTransport } from '../link/tcp/tcp-transport.ts'
import { systemRuntime } from '../runtime/system/system-runtime.ts'
import type { NodeOptions, PlaitNode, TransportFactory } from './node-api.ts'
import { LocalNode } from './node.ts'
import { parseListenAddress } from './url.ts'

const defaultDialTimeoutMs = 10_000
const defaultResumeMs = 30_000
const epochBytes = 16

/** TLS over TCP. */
const defaultTransports: TransportFactory = (parts) => [tcpTransport(parts)]

/**
 * Opens a node: its key, its listeners. Rejects with `INVALID_ARGUMENT`, `INVALID_ADDRESS` (an address that cannot be read, or
 * cannot be listened on), `KEY_FILE`, `KEY_IN_USE`. Close it, or the process goes on for as long as it listens or has sessions.
 */
export async function createNode(options: NodeOptions = {}): Promise<PlaitNode> {
  const limits = mergeLimits(options.limits ?? {})
  const application = checkApplication(options.application)
  const pool = {
    maxInbound: checkCount(options.maxInbound ?? limits.sessions, 'maxInbound'),
    maxOutbound: checkCount(options.maxOutbound ?? limits.sessions, 'maxOutbound'),
    sessions: limits.sessions,
  }
  const dialTimeoutMs = checkCount(options.dialTimeoutMs ?? defaultDialTimeoutMs, 'dialTimeoutMs')
  const resumeMs = checkCount(options.resumeMs ?? defaultResumeMs, 'resumeMs')
  const network = options.networkKey === undefined ? undefined : new NetworkKey(options.networkKey)
  const runtime = options.runtime ?? systemRuntime()
  const listen = (options.listen ?? []).map(parseListenAddress)
  const { identity, release } = await openIdentity(options)
  let node: LocalNode | undefined
  try {
    const refused = (error: PlaitError): void => node?.countRefused(error)
    const transports = (options.transports ?? defaultTransports)({ identity, limits, runtime, refused })
    const [transport] = transports
    if (transport === undefined)
      throw new PlaitError('INVALID_ARGUMENT', 'transports made no transport: return at least one')
    const hello = {
      epoch: runtime.random.bytes(epochBytes),
      agent: 'plait',
      ...(application === undefined ? {} : { application }),
    }
    node = new LocalNode({
      identity,
      runtime,
      limits,
      pool,
      dialTimeoutMs,
      resumeMs,
      network,
      transport,
      hello,
      release,
    })
    for (const { scheme, address } of listen) await node.listen(findTransport(transports, scheme), address)
    return node
  } catch (error) {
    if (node === undefined) release()
    else await node.close()
    throw error
  }
}

async function openIdentity(
  options: NodeOptions,
): Promise<{ readonly identity: Identity; readonly release: () => void }> {
  const { keyFile, identity } = options
  if (identity !== undefined && keyFile !== undefined) {
    throw new PlaitError('INVALID_ARGUMENT', 'keyFile and identity are both given: leave one out')
  }
  if (identity !== undefined) return { identity, release: () => {} }
  const own = keyFile === undefined ? createIdentity() : await openKeyFile(keyFile)
  return { identity: own, release: () => own.close() }
}

function findTransport(transports: readonly Transport[], scheme: string): Transport {
  const transport = transports.find((one) => one.scheme === scheme)
  if (transport !== undefined) return transport
  const known = transports.map((one) => `${one.scheme}://`).join(', ')
  throw new PlaitError('INVALID_ADDRESS', `nothing here can listen on ${scheme}://; there is ${known}`)
}

function mergeLimits(changes: Partial<Limits>): Limits {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(defaultLimits, name))
      throw new PlaitError('INVALID_ARGUMENT', `there is no limit called ${name}`)
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new PlaitError('INVALID_ARGUMENT', `the limit ${name} is ${value}; it must be a whole number from 0 up`)
    }
  }
  return { ...defaultLimits, ...changes }
}

function checkApplication(application: NodeOptions['application']): NodeOptions['application'] {
  if (application === undefined) return undefined
  for (const text of [application.name, application.version]) {
    if (typeof text !== 'string' || new TextEncoder().encode(text).length > 64) {
      throw new PlaitError('INVALID_ARGUMENT', 'the name and the version of the application have at most 64 bytes each')
    }
  }
  return application
}

function checkCount(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new PlaitError('INVALID_ARGUMENT', `${name} is ${value}; it must be a whole number from 0 up`)
}
