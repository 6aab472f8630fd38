import { request, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { createNode } from '../../node/create-node.ts'
import { openMetrics, type Measured } from '../open-metrics.ts'
import { serveMetrics, type MetricsServer } from './serve-metrics.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function serve(): Promise<{ readonly node: Measured; readonly server: MetricsServer }> {
  const node = await createNode()
  const server = await serveMetrics(node, { port: 0 })
  onTestFinished(async () => {
    await server.close()
    await node.close()
  })
  return { node, server }
}

function ask(
  { address }: MetricsServer,
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ ...address, path, method, headers, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    asking.on('error', reject)
    asking.end()
  })
}

it('answers with metrics and with the snapshot, on the loopback', async () => {
  const { node, server } = await serve()
  expect(server.address.host).toBe('127.0.0.1')
  expect(server.url).toBe(`http://127.0.0.1:${server.address.port}/metrics`)
  const metrics = await ask(server, '/metrics?x=1')
  expect([metrics.status, metrics.headers['content-type']]).toEqual([
    200,
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  ])
  expect(metrics.body).toBe(openMetrics(node))
  const snapshot = await ask(server, '/snapshot')
  expect([snapshot.status, snapshot.headers['content-type']]).toEqual([200, 'application/json'])
  expect(JSON.parse(snapshot.body)).toEqual(node.snapshot())
})

it('refuses other paths, other methods and long headers', async () => {
  const { server } = await serve()
  expect(await ask(server, '/')).toMatchObject({ status: 404, headers: { connection: 'close' } })
  expect(await ask(server, '/metrics', 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET' } })
  expect(await ask(server, '/metrics', 'GET', { long: 'x'.repeat(9_000) })).toMatchObject({ status: 431 })
})

it('refuses a name that was pointed at this machine', async () => {
  const { server } = await serve()
  const statuses = async (...hosts: readonly string[]): Promise<(number | undefined)[]> =>
    Promise.all(hosts.map(async (host) => (await ask(server, '/snapshot', 'GET', { host })).status))
  expect(await statuses('evil.example', 'evil.example:80', '127.0.0.1.evil.example')).toEqual([421, 421, 421])
  expect(await statuses('localhost:1', '127.0.0.1', '[::1]:80')).toEqual([200, 200, 200])
})

it('ends with who is connected', async () => {
  const { server } = await serve()
  const idle = connect(server.address)
  await new Promise((resolve) => idle.once('connect', resolve))
  const ended = new Promise((resolve) => idle.once('close', resolve))
  await Promise.all([server.close(), server.close(), ended])
  await expect(ask(server, '/metrics')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

it('says where it cannot listen', async () => {
  const { node, server } = await serve()
  await expect(serveMetrics(node, { port: server.address.port })).rejects.toMatchObject({
    code: 'INVALID_ADDRESS',
    message: expect.stringContaining(`127.0.0.1:${server.address.port}`) as string,
  })
})
