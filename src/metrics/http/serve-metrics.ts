import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isIP, type AddressInfo } from 'node:net'
import { PlaitError } from '../../base/error.ts'
import { isLoopback } from '../../drive/address.ts'
import type { LinkAddress } from '../../link/link.ts'
import { formatAddress } from '../../node/url.ts'
import { openMetrics, type Measured } from '../open-metrics.ts'

export interface MetricsOptions {
  /** 127.0.0.1 when absent: there is no password, so other machines see it only if that is asked for. */
  readonly host?: string
  /** 0 picks a free one. */
  readonly port: number
}

/** A node's counters over HTTP: `GET /metrics` in OpenMetrics text, `GET /snapshot` in JSON. */
export interface MetricsServer extends AsyncDisposable {
  readonly address: LinkAddress
  /** Of the metrics: `http://127.0.0.1:9464/metrics`. */
  readonly url: string
  /** Takes no more questions and drops who is connected. Idempotent. */
  close(): Promise<void>
}

const metricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const headerBytes = 8 * 1024
const headersMs = 5_000
const idleMs = 10_000
const connectionsMax = 16

/** Shows the counters of a node to who asks over HTTP. Rejects with `INVALID_ADDRESS` when it cannot listen there. */
export async function serveMetrics(
  node: Measured,
  { host = '127.0.0.1', port }: MetricsOptions,
): Promise<MetricsServer> {
  // Only for who asks for it: loading it costs every program a tenth of a second.
  const { createServer } = await import('node:http')
  const server = createServer(
    { maxHeaderSize: headerBytes, headersTimeout: headersMs, requestTimeout: headersMs, keepAliveTimeout: headersMs },
    (request, response) => answer(node, server, request, response),
  )
  server.maxConnections = connectionsMax
  server.timeout = idleMs
  await listen(server, { host, port })
  const { address, port: boundPort } = server.address() as AddressInfo
  const bound = { host: address, port: boundPort }
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    return closed
  }
  return { address: bound, url: `http://${formatAddress(bound)}/metrics`, close, [Symbol.asyncDispose]: close }
}

function listen(server: Server, address: LinkAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void =>
      reject(
        new PlaitError('INVALID_ADDRESS', `metrics cannot be shown at ${formatAddress(address)}: ${error.message}`, {
          cause: error,
        }),
      )
    server.once('error', refuse)
    server.listen({ ...address, exclusive: true }, () => {
      server.off('error', refuse)
      resolve()
    })
  })
}

function answer(node: Measured, server: Server, request: IncomingMessage, response: ServerResponse): void {
  const path = request.url?.split('?', 1)[0]
  const status = refusal(server, request, path)
  if (status !== undefined) {
    const headers = status === 405 ? { allow: 'GET' } : {}
    // What may come behind the headers is not waited for.
    response.writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
    response.end(`${refusals[status]}\n`)
    return
  }
  const [type, body] =
    path === '/metrics'
      ? [metricsType, openMetrics(node)]
      : ['application/json', `${JSON.stringify(node.snapshot())}\n`]
  response.writeHead(200, {
    'content-type': type,
    'content-length': new TextEncoder().encode(body).length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}

const refusals = {
  404: 'there are /metrics and /snapshot',
  405: 'only GET is answered',
  421: 'ask for it by its address',
} as const

function refusal(
  server: Server,
  request: IncomingMessage,
  path: string | undefined,
): keyof typeof refusals | undefined {
  const bound = server.address() as AddressInfo | null
  if (bound !== null && isLoopback({ host: bound.address, port: 0 }) && !namesLoopback(request.headers.host)) return 421
  if (path !== '/metrics' && path !== '/snapshot') return 404
  return request.method === 'GET' ? undefined : 405
}

/**
 * A page in a browser can point a name of its own at this machine and read what is served here: who asks on the loopback names it as
 * such.
 */
function namesLoopback(header: string | undefined): boolean {
  const host = (header ?? '')
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  return host === 'localhost' || (isIP(host) !== 0 && isLoopback({ host, port: 0 }))
}
