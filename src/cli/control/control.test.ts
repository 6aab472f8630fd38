import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createConnection, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { PlaitError } from '../../base/error.ts'
import { createIdentity } from '../../identity/identity.ts'
import { askProgram, askPrograms } from './control-client.ts'
import { controlAddress, controlFolder, listControlAddresses, makeControlFolder } from './control-folder.ts'
import { parseRequest, requestBytesMax } from './control-protocol.ts'
import { ControlServer, type ControlHandler } from './control-server.ts'

const nodeId = createIdentity().id
let base: string

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'plait-control-')))
  vi.stubEnv('XDG_RUNTIME_DIR', join(base, 'run'))
  vi.stubEnv('XDG_STATE_HOME', join(base, 'state'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true, force: true })
})

async function open(answer: ControlHandler): Promise<ControlServer> {
  const server = await ControlServer.open(nodeId, answer)
  onTestFinished(() => server.close())
  return server
}

/** Sends this to the socket, ends, and reads what comes back. */
function tell(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    let said = ''
    socket.setEncoding('utf8').on('data', (part: string) => (said += part))
    socket.on('end', () => resolve(said))
    socket.on('error', reject)
    socket.end(text)
  })
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(path, () => resolve(server))
  })
}

it('stands in the runtime folder, else beside the state, and lets nobody else in', async () => {
  const { path } = await open(() => 'here')
  expect(path).toBe(join(base, 'run/plait', `${nodeId.slice(0, 8)}-${process.pid}.sock`))
  expect([lstatSync(path), lstatSync(join(path, '..'))].map(({ mode }) => (mode & 0o777).toString(8))).toEqual([
    '600',
    '700',
  ])
  vi.stubEnv('XDG_RUNTIME_DIR', 'relative')
  expect(controlFolder()).toBe(join(base, 'state/plait/run'))
})

it('answers one line with one line, errors with their codes', async () => {
  const asked: unknown[] = []
  const { path } = await open(async (request) => {
    asked.push(request)
    if (request.command === 'ping') throw new PlaitError('UNREACHABLE', 'no such node', { facts: { tried: 2 } })
    return { said: 'line\nbreak' }
  })
  expect(await tell(path, '{"command":"status"}\nmore')).toBe('{"ok":true,"answer":{"said":"line\\nbreak"}}\n')
  expect(await tell(path, `{"command":"ping","nodeId":"${nodeId}"}\n`)).toBe(
    '{"ok":false,"error":{"code":"UNREACHABLE","message":"no such node","facts":{"tried":2}}}\n',
  )
  expect(asked).toEqual([{ command: 'status' }, { command: 'ping', nodeId }])
  const address = controlAddress(controlFolder(), nodeId, process.pid)
  await expect(askProgram(address, { command: 'ping', nodeId })).rejects.toMatchObject({ code: 'UNREACHABLE' })
  expect(await askPrograms({ command: 'status' })).toEqual([{ address, answer: { said: 'line\nbreak' } }])
})

it('holds a line against its limit, and says what is no question', async () => {
  const { path } = await open(() => 'here')
  const longest = `{"command":"peers"${' '.repeat(requestBytesMax - 19)}}`
  expect(await tell(path, `${longest}\n`)).toBe('{"ok":true,"answer":"here"}\n')
  expect(await tell(path, `${longest} \n`)).toMatch(/"code":"LIMIT"/)
  expect(await tell(path, 'x'.repeat(requestBytesMax + 1))).toMatch(/"code":"LIMIT"/)
  expect(await tell(path, '{"command":"status"}')).toMatch(/"code":"LINK_LOST"/)
  for (const line of ['', 'status', '[]', 'null', '{}', '{"command":"__proto__"}'])
    expect(() => parseRequest(line), line).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(() => parseRequest('{"command":"ping","nodeId":"x"}')).toThrow(PlaitError)
})

it('takes no folder that others can get into, and no link in its place', async () => {
  const folder = controlFolder()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o710)
  const refusal = expect.objectContaining({
    code: 'FILE_FAILED',
    message: expect.stringContaining('chmod 700') as string,
  })
  await expect(ControlServer.open(nodeId, () => 'here')).rejects.toEqual(refusal)
  await expect(askPrograms({ command: 'status' })).rejects.toEqual(refusal)
  rmSync(folder, { recursive: true })
  mkdirSync(join(base, 'elsewhere'), { mode: 0o700 })
  symlinkSync(join(base, 'elsewhere'), folder)
  expect(() => makeControlFolder(folder)).toThrow(expect.objectContaining({ code: 'FILE_FAILED' }))
})

it('says when a path is too long for a socket, which the system would cut', async () => {
  vi.stubEnv('XDG_RUNTIME_DIR', join(base, 'x'.repeat(100)))
  await expect(ControlServer.open(nodeId, () => 'here')).rejects.toMatchObject({ code: 'FILE_FAILED' })
})

it('takes away what nobody listens on', async () => {
  const { path } = await open(() => 'here')
  const folder = controlFolder()
  const stale = controlAddress(folder, createIdentity().id, 4_000_001)
  // A socket stays behind when its process is killed: here it is moved away from under its server.
  const left = await listen(join(folder, 'other'))
  renameSync(join(folder, 'other'), stale.path)
  await new Promise((resolve) => left.close(resolve))
  expect(listControlAddresses(folder).map(({ pid }) => pid)).toContain(4_000_001)
  expect((await askPrograms({ command: 'status' })).map(({ address }) => address.path)).toEqual([path])
  expect(readdirSync(folder)).toHaveLength(1)
})

it('chooses by process and by the beginning of a node id', async () => {
  const { path } = await open(() => 'here')
  const paths = async (filter: Parameters<typeof askPrograms>[1]): Promise<readonly string[]> =>
    (await askPrograms({ command: 'status' }, filter)).map(({ address }) => address.path)
  expect(await paths({ pid: process.pid })).toEqual([path])
  expect(await paths({ pid: process.pid + 1 })).toEqual([])
  expect(await paths({ node: nodeId })).toEqual([path])
  expect(await paths({ node: nodeId.slice(0, 3) })).toEqual([path])
  expect(await paths({ node: createIdentity().id })).toEqual([])
})

it('is gone when it has been closed, with who was connected', async () => {
  const server = await open(() => 'here')
  const idle = createConnection(server.path)
  await new Promise((resolve) => idle.once('connect', resolve))
  const ended = new Promise((resolve) => idle.once('close', resolve))
  await Promise.all([server.close(), server.close(), ended])
  expect(existsSync(server.path)).toBe(false)
  expect(await askPrograms({ command: 'status' })).toEqual([])
})
