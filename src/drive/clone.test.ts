import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Circuit } from '../circuit/circuit-api.ts'
import { MemoryNetwork, memoryTransport } from '../link/memory/memory-transport.ts'
import { createNode } from '../node/create-node.ts'
import type { PlaitNode, TransportFactory } from '../node/node-api.ts'
import { systemRuntime } from '../runtime/system/system-runtime.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import { Clone, type CloneProblem } from './clone.ts'
import { proveSecret, sha256 } from './disk/hash.ts'
import { DriveServer, type ShareEvent } from './drive-server.ts'
import type { ListingRecord } from './entry.ts'
import { ListingPage } from './listing.ts'
import { Pack, packBytes, writeStreamHead } from './pack.ts'
import { closeCodes, ops } from './protocol.ts'
import type { ShareLink } from './share-link.ts'
import { readWants, wantsMax, writeWants, type Want } from './want.ts'

const runtime = systemRuntime()
const driveId = 'a'.repeat(26)
const secret = new Uint8Array(32).fill(1)
const facts = { mode: 0o644, mtimeNs: 1_700_000_000_000_000_000n }
const text = (content: string): Uint8Array => new TextEncoder().encode(content)

let base: string
let source: string
let folder: string
let server: PlaitNode
let client: PlaitNode
let problems: CloneProblem[]
let events: ShareEvent[]

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'plait-clone-'))
  source = join(base, 'source')
  folder = join(base, 'copy')
  mkdirSync(source)
  problems = []
  events = []
  const network = new MemoryNetwork(runtime)
  const transports: TransportFactory = ({ identity }) => [memoryTransport({ network, id: identity.id })]
  server = await createNode({ listen: ['memory://here:1'], transports })
  client = await createNode({ transports })
})
afterEach(async () => {
  await Promise.all([client.close(), server.close()])
  rmSync(base, { recursive: true, force: true })
})

function share(listed: () => void = () => {}): DriveServer {
  return DriveServer.start({
    node: server,
    runtime,
    driveId,
    secret,
    folder: source,
    onEvent: (event) => {
      events.push(event)
      if (event.kind === 'listed') listed()
    },
  })
}

async function clone(
  changes: Partial<ShareLink> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Clone> {
  const link: ShareLink = {
    nodeId: server.id,
    addresses: [{ host: 'here', port: 1 }],
    driveId,
    role: 'read',
    secret,
    ...changes,
  }
  const prepare = (): boolean => {
    const fresh = !existsSync(folder)
    mkdirSync(folder, { recursive: true })
    return fresh
  }
  const work = new Clone({
    node: client,
    runtime,
    link,
    folder,
    prepare,
    onProblem: (problem) => problems.push(problem),
    signal,
  })
  await work.run()
  return work
}

const copied = (path: string): string => readFileSync(join(folder, path), 'utf8')
const temporary = (): readonly string[] => readdirSync(join(folder, '.plait/tmp'))
const coded = (code: string): Error => expect.objectContaining({ code }) as Error

/** Lists these records, and answers wants by `answer`, or not at all. */
function shareByScript(
  records: readonly ListingRecord[],
  answer: (circuit: Circuit, wants: readonly Want[]) => void = () => {},
): void {
  const peer = server.peer('d', { id: driveId, open: 'anyone' })
  const serve = async (circuit: Circuit): Promise<void> => {
    const first = await circuit.read()
    if (first?.op === ops.list) {
      const page = new ListingPage()
      for (const record of records) page.add(record)
      circuit.send({ op: ops.page, payload: page.take() })
      circuit.send({ op: ops.listed, part: records.length })
      return circuit.close()
    }
    for await (const fragment of circuit) if (fragment.op === ops.want) answer(circuit, readWants(fragment.payload))
    return circuit.close()
  }
  void (async () => {
    for await (const circuit of peer.incoming) void serve(circuit).catch(() => {})
  })()
}

function packOf(fill: (pack: Pack) => void): FragmentFields {
  const pack = new Pack(new Uint8Array(packBytes))
  fill(pack)
  return { op: ops.pack, payload: pack.take() }
}

function sendFile(circuit: Circuit, want: Want, content: Uint8Array, hash: Uint8Array = sha256(content)): void {
  const fill = (place: Uint8Array): Uint8Array => {
    place.set(content)
    return hash
  }
  circuit.send(packOf((pack) => pack.file(want.id, facts, content.length, fill)))
}

it('brings a folder over, then fetches nothing again but what has changed', async () => {
  mkdirSync(join(source, 'a/empty'), { recursive: true })
  writeFileSync(join(source, 'a/small'), 'small')
  writeFileSync(join(source, 'large'), new Uint8Array(3_000_000).fill(7))
  writeFileSync(join(source, 'none'), '')
  share()
  const first = await clone()
  expect(first.progress).toMatchObject({
    filesDone: 3,
    filesTotal: 3,
    bytesDone: 3_000_005,
    bytesTotal: 3_000_005,
    unchanged: 0,
  })
  expect(copied('a/small')).toBe('small')
  expect(readFileSync(join(folder, 'large')).equals(readFileSync(join(source, 'large')))).toBe(true)
  expect(readdirSync(join(folder, 'a'))).toEqual(['empty', 'small'])
  expect([problems, temporary()]).toEqual([[], []])

  writeFileSync(join(source, 'a/small'), 'other')
  utimesSync(join(source, 'large'), 5, 5)
  utimesSync(join(source, 'none'), 5, 5)
  const second = await clone()
  expect(second.progress).toMatchObject({
    filesDone: 1,
    filesTotal: 1,
    bytesDone: 5,
    bytesTotal: 5,
    unchanged: 2,
    failed: 0,
  })
  expect([copied('a/small'), statSync(join(folder, 'large')).mtimeMs, statSync(join(folder, 'none')).mtimeMs]).toEqual([
    'other',
    5_000,
    5_000,
  ])
  const third = await clone()
  expect(third.progress).toMatchObject({ filesTotal: 0, bytesTotal: 0, unchanged: 3 })
})

it('refuses a wrong secret, says so on both sides, and writes nothing', async () => {
  share()
  await expect(clone({ secret: new Uint8Array(32).fill(2) })).rejects.toThrow(coded('FORBIDDEN'))
  expect(existsSync(folder)).toBe(false)
  expect(events).toEqual([{ kind: 'refused', nodeId: client.id }])
})

it('says that a folder is not shared there', async () => {
  share()
  await expect(clone({ driveId: `b${'a'.repeat(25)}` })).rejects.toThrow(/does not share that folder now/)
  expect(existsSync(folder)).toBe(false)
})

it('does not answer who skips the proof', async () => {
  share()
  const peer = client.peer('curious')
  const url = `plait://${server.id}@here:1/d/${driveId}`
  for (const first of [
    {},
    { op: ops.list, part: 1 },
    { op: ops.fetch, part: 1, payload: new Uint8Array(32) },
    { op: ops.list, part: 2 },
  ]) {
    const circuit = await peer.open(url, first)
    expect(await circuit.read()).toBeUndefined()
    expect((await circuit.closed).code).toBe(first.part === 1 ? closeCodes.forbidden : closeCodes.malformed)
  }
})

it('does not serve who asks for too much, or returns what it did not get', async () => {
  share()
  const peer = client.peer('greedy')
  const payload = proveSecret(secret, { driveId, clientId: client.id, serverId: server.id })
  const wants = Array.from({ length: wantsMax }, (_, id) => ({ id, path: 'none' }))
  const requests: readonly (readonly FragmentFields[])[] = [
    [
      { op: ops.want, payload: writeWants(wants) },
      { op: ops.want, payload: writeWants(wants) },
    ],
    [{ op: ops.more, part: 1 }],
    [{ op: ops.more, part: -1 }],
    [{ op: ops.want, payload: text('garbage') }],
    [{ op: 99 }],
  ]
  for (const request of requests) {
    const circuit = await peer.open(`plait://${server.id}@here:1/d/${driveId}`, { op: ops.fetch, part: 1, payload })
    for (const fragment of request) circuit.send(fragment)
    while ((await circuit.read()) !== undefined);
    expect([request[0], (await circuit.closed).code]).toEqual([request[0], closeCodes.malformed])
  }
  expect(events.map(({ kind }) => kind)).toEqual(requests.map(() => 'failed'))
})

it('refuses the bad entries of a listing by name, and takes the others', async () => {
  mkdirSync(join(base, 'outside'))
  const file = (path: string): ListingRecord => ({ kind: 'file', path, ...facts, size: 2 })
  const records: ListingRecord[] = [
    { kind: 'directory', path: '', ...facts },
    file('../outside/x'),
    file('/etc/passwd'),
    file('.plait/drive.json'),
    { kind: 'directory', path: 'dir', ...facts },
    file('dir/../../outside/y'),
    file('dir/good'),
    { kind: 'symlink', path: 'escape', ...facts, target: '../outside' },
    file('escape/z'),
    file('good'),
    file('good'),
    file('good/inside'),
    file('x'.repeat(300)),
    { kind: 'skipped', path: 'a\u001bb', reason: 'is a FIFO, which cannot be shared' },
    file('zz'),
  ]
  shareByScript(records, (circuit, wants) => {
    for (const want of wants) sendFile(circuit, want, text('ok'))
  })
  const { progress } = await clone()
  expect(problems.map(({ path, code }) => `${code} ${path.slice(0, 20)}`)).toEqual([
    'PATH_REFUSED ../outside/x',
    'PATH_REFUSED /etc/passwd',
    'PATH_REFUSED .plait/drive.json',
    'PATH_REFUSED dir/../../outside/y',
    'PATH_REFUSED escape',
    'PATH_REFUSED escape/z',
    'PATH_REFUSED good',
    'PATH_REFUSED good/inside',
    `PATH_REFUSED ${'x'.repeat(20)}`,
    'REMOTE a\u001bb',
  ])
  expect(progress).toMatchObject({ filesDone: 3, failed: 10 })
  expect([copied('dir/good'), copied('good'), copied('zz')]).toEqual(['ok', 'ok', 'ok'])
  expect([readdirSync(join(base, 'outside')), readdirSync(folder).sort()]).toEqual([
    [],
    ['.plait', 'dir', 'good', 'zz'],
  ])
})

it('keeps nothing that does not match its hash', async () => {
  shareByScript(
    [
      { kind: 'file', path: 'packed', ...facts, size: 2 },
      { kind: 'file', path: 'streamed', ...facts, size: 2 },
    ],
    (circuit, [packed, streamed]) => {
      sendFile(circuit, packed as Want, text('ok'), new Uint8Array(32))
      circuit.send({ op: ops.head, payload: writeStreamHead({ id: (streamed as Want).id, facts, size: 2 }) })
      circuit.send({ op: ops.data, payload: text('ok') })
      circuit.send({ op: ops.tail, payload: new Uint8Array(32) })
    },
  )
  await clone()
  expect(problems.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
    'packed arrived damaged and was not kept; run the same command again',
    'streamed arrived damaged and was not kept; run the same command again',
  ])
  expect([readdirSync(folder), temporary()]).toEqual([['.plait'], []])
})

it('takes the version that comes after a change in the middle', async () => {
  shareByScript([{ kind: 'file', path: 'f', ...facts, size: 100 }], (circuit, [want]) => {
    const id = (want as Want).id
    circuit.send({ op: ops.head, payload: writeStreamHead({ id, facts, size: 100 }) })
    circuit.send({ op: ops.data, payload: text('half of it') })
    circuit.send({ op: ops.again })
    circuit.send({ op: ops.head, payload: writeStreamHead({ id, facts, size: 3 }) })
    circuit.send({ op: ops.data, payload: text('new') })
    circuit.send({ op: ops.tail, payload: sha256(text('new')) })
  })
  const { progress } = await clone()
  expect([copied('f'), temporary()]).toEqual(['new', []])
  expect(progress).toMatchObject({ filesDone: 1, bytesDone: 3, bytesTotal: 3, failed: 0 })
})

const head = (id: number, size: number): FragmentFields => ({
  op: ops.head,
  payload: writeStreamHead({ id, facts, size }),
})
const misbehaviours: readonly (readonly [string, (id: number) => readonly FragmentFields[]])[] = [
  ['an unknown operation', () => [{ op: 99 }]],
  ['garbage in a pack', () => [{ op: ops.pack, payload: text('garbage') }]],
  ['a file that nobody asked for', (id) => [packOf((pack) => pack.same(id + 2, facts))]],
  ['a file that is said to be here already', (id) => [packOf((pack) => pack.same(id, facts))]],
  ['an answer given twice', (id) => [packOf((pack) => (pack.problem(id, 'no'), pack.problem(id, 'no')))]],
  ['data without a head', () => [{ op: ops.data, payload: text('x') }]],
  ['a tail without a head', () => [{ op: ops.tail }]],
  ['a stream that nobody asked for', (id) => [head(id + 2, 5)]],
  ['a head within a stream', (id) => [head(id, 5), head(id, 5)]],
  ['more than was announced', (id) => [head(id, 1), { op: ops.data, payload: text('xx') }]],
  [
    'more at once than was agreed',
    (id) => [head(id, 100), ...Array.from({ length: 100 }, () => ({ op: ops.data, payload: text('x') }))],
  ],
  [
    'less than was announced',
    (id) => [head(id, 5), { op: ops.data, payload: text('x') }, { op: ops.tail, payload: sha256(text('x')) }],
  ],
]

it.each(misbehaviours)('ends typed on %s, and leaves no partial file', async (_, misbehave) => {
  shareByScript(
    [
      { kind: 'file', path: 'f', ...facts, size: 5 },
      { kind: 'file', path: 'g', ...facts, size: 5 },
    ],
    (circuit, wants) => {
      for (const fragment of misbehave((wants[0] as Want).id)) circuit.send(fragment)
    },
  )
  await expect(clone()).rejects.toThrow(coded('PROTOCOL'))
  expect([readdirSync(folder), temporary()]).toEqual([['.plait'], []])
})

it('says when the other side stops in the middle, and goes on the next time', async () => {
  const records: ListingRecord[] = [
    { kind: 'file', path: 'f', ...facts, size: 2 },
    { kind: 'file', path: 'g', ...facts, size: 2 },
  ]
  shareByScript(records, (circuit, [first]) => {
    sendFile(circuit, first as Want, text('ok'))
    void circuit.close()
  })
  await expect(clone()).rejects.toThrow(coded('REMOTE'))
  expect([readdirSync(folder), temporary()]).toEqual([['.plait', 'f'], []])
})

it('stops at once when it is told to', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  shareByScript([{ kind: 'file', path: 'f', ...facts, size: 5 }], () => stop.abort(reason))
  await expect(clone({}, stop.signal)).rejects.toBe(reason)
  expect(temporary()).toEqual([])
})

it('reports files that vanish, turn into something else, or never rest, and brings the others', async () => {
  for (const name of ['gone', 'pipe', 'restless', 'quiet']) writeFileSync(join(source, name), name)
  share(() => {
    rmSync(join(source, 'gone'))
    rmSync(join(source, 'pipe'))
    mkdirSync(join(source, 'pipe'))
  })
  const restless = setInterval(() => appendFileSync(join(source, 'restless'), '+'), 5)
  const { progress } = await clone()
  clearInterval(restless)
  expect(problems.map(({ path, reason }) => `${path} ${reason}`).sort()).toEqual([
    'gone does not exist',
    'pipe is not a regular file',
    'restless keeps changing while it is read; clone again when it is quiet',
  ])
  expect(copied('quiet')).toBe('quiet')
  expect(progress).toMatchObject({ filesDone: 1, failed: 3 })
})

it('takes names of objects for plain names', async () => {
  for (const name of ['__proto__', 'constructor']) {
    mkdirSync(join(source, name))
    writeFileSync(join(source, name, 'toString'), name)
  }
  share()
  await clone()
  expect([copied('__proto__/toString'), copied('constructor/toString'), problems]).toEqual([
    '__proto__',
    'constructor',
    [],
  ])
})

it('reports what is in the way here, and goes round it', async () => {
  mkdirSync(join(source, 'd'))
  for (const path of ['d/f', 'e', 'g']) writeFileSync(join(source, path), path)
  mkdirSync(join(folder, 'e/full'), { recursive: true })
  writeFileSync(join(folder, 'd'), 'a file of mine')
  share()
  await clone()
  expect(problems.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
    'd cannot be put there: something is in the way',
    'd/f is not a directory',
    'e cannot be put there: a directory is in the way',
  ])
  expect([copied('d'), copied('g')]).toEqual(['a file of mine', 'g'])
})
