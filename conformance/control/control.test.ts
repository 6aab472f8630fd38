import { chmodSync, existsSync, lstatSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { pingService, servePings } from '../../src/cli/ping-service.ts'
import { parseDriveLink } from '../../src/drive/drive-link.ts'
import { createNetworkKeyFile } from '../../src/identity/network-key.ts'
import { createNode } from '../../src/node/create-node.ts'
import { formatUrl } from '../../src/node/url.ts'
import { jsonLines, makePlace, runPlait, startClone, startShare, type Place } from '../drive/place.ts'
import { plaitProgram, startProgram } from '../support/process.ts'

const sockets = (place: Place): readonly string[] =>
  existsSync(join(place.base, 'run/plait')) ? readdirSync(join(place.base, 'run/plait')) : []

async function until(holds: () => boolean): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += 10) {
    if (waitedMs > 5_000) throw new Error('waited 5 s')
    await delay(10)
  }
}

/** A node of this process that is connected with who shares, and answers pings. */
async function connected(link: string): Promise<string> {
  const { nodeId, addresses } = parseDriveLink(link)
  const node = await createNode()
  onTestFinished(() => node.close())
  servePings(node)
  await node.peer('guest').open(formatUrl({ nodeId, addresses, service: pingService }))
  return node.id
}

it('shows a program that shares, and whom it is connected with', async () => {
  const place = makePlace()
  const { program, link } = await startShare(place)
  const { nodeId } = parseDriveLink(link)
  const name = `${nodeId.slice(0, 8)}-${program.pid}.sock`
  expect(sockets(place)).toEqual([name])
  expect([
    lstatSync(join(place.base, 'run/plait', name)).mode & 0o777,
    lstatSync(join(place.base, 'run/plait')).mode & 0o777,
  ]).toEqual([0o600, 0o700])
  const guest = await connected(link)
  const peers = await runPlait(place, ['peers'])
  expect(peers.stdout.split('\n')).toEqual([
    expect.stringMatching(/^NODE +ADDRESS +STATE +TIME +SENT +RECEIVED +CIRCUITS +PROGRAM$/),
    expect.stringMatching(
      new RegExp(`^${guest}  127\\.0\\.0\\.1:\\d+  ready .*  share ${place.source} \\(${program.pid}\\)$`),
    ),
    '',
  ])
  const [status, json, none] = await Promise.all([
    runPlait(place, ['status', '--node', nodeId.slice(0, 10)]),
    runPlait(place, ['status', '--json', '--pid', String(program.pid)]),
    runPlait(place, ['status', '--pid', '1']),
  ])
  expect([status.code, status.stderr]).toEqual([0, ''])
  const [first, second, third, fourth] = status.stdout.split('\n')
  expect(first).toMatch(new RegExp(`^share ${place.source}  \\(process ${program.pid}, plait `))
  expect([second, fourth]).toEqual([`  node      ${nodeId}`, '  peers     1 session (1 ready), 1 circuit'])
  expect(third).toMatch(/^ {2}listens {3}127\.0\.0\.1:\d+$/)
  const work = expect.objectContaining({ role: 'share', folder: place.source }) as unknown
  expect(jsonLines(json.stdout)).toEqual([expect.objectContaining({ event: 'status', pid: program.pid, nodeId, work })])
  expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/^plait: no such plait program is running here/)])
  const through = await runPlait(place, ['ping', guest, '--count', '2', '--interval', '10'])
  expect([through.code, through.stdout]).toEqual([
    0,
    expect.stringMatching(/^seq=1 time=\d+\.\d\d ms\nseq=2 time=\d+\.\d\d ms\n2 sent, 2 came back, 0% lost\nmin/),
  ])
  expect(through.stderr).toBe(`pinging ${guest} through process ${program.pid}\n`)
  await program.kill('SIGINT')
  expect(sockets(place)).toEqual([])
})

it('measures the time to who shares, by link and by address', async () => {
  const place = makePlace()
  const { program, link, port } = await startShare(place)
  const { code, stdout } = await runPlait(place, ['ping', link, '--count', '3', '--interval', '20'])
  expect(stdout).toMatch(
    /^(?:seq=[123] time=\d+\.\d\d ms\n){3}3 sent, 3 came back, 0% lost\nmin\/avg\/max = [\d./]+ ms\n$/,
  )
  expect(code).toBe(0)
  const address = `plait://${parseDriveLink(link).nodeId}@127.0.0.1:${port}`
  // Without a count it goes on until Ctrl-C.
  const endless = startProgram(plaitProgram, ['ping', address, '--interval', '20', '--json'], { env: place.env })
  await endless.line(/"seq":5/)
  endless.signal('SIGINT')
  const outcome = await endless.outcome()
  expect([outcome.code, outcome.stderr]).toEqual([0, ''])
  const lines = jsonLines(outcome.stdout)
  expect(lines[0]).toEqual({ event: 'pong', seq: 1, timeMs: expect.any(Number) as number })
  expect(lines.at(-1)).toMatchObject({
    event: 'summary',
    nodeId: parseDriveLink(link).nodeId,
    received: lines.length - 1,
  })
  await program.kill('SIGINT')
  const nobody = await runPlait(place, ['ping', `plait://${parseDriveLink(link).nodeId}`, '--count', '1'])
  expect([nobody.code, nobody.stderr]).toEqual([
    1,
    expect.stringMatching(/^plait: no program here is connected with that node/),
  ])
})

it('pings in a private network with its key only', async () => {
  const place = makePlace()
  const key = join(place.base, 'home.key')
  await createNetworkKeyFile(key)
  const { link } = await startShare(place, ['--listen', '127.0.0.1:0', '--psk', key])
  const [friend, stranger] = await Promise.all([
    runPlait(place, ['ping', link, '--count', '1', '--psk', key]),
    runPlait(place, ['ping', link, '--count', '1', '--json']),
  ])
  expect(friend.code).toBe(0)
  expect([stranger.code, jsonLines(stranger.stdout)]).toEqual([1, [expect.objectContaining({ code: 'WRONG_NETWORK' })]])
})

it('shows how far a clone is, and is not held up by a program that does not answer', async () => {
  const place = makePlace()
  writeFileSync(join(place.source, 'large'), '')
  truncateSync(join(place.source, 'large'), 300_000_000)
  const { program: sharing, link } = await startShare(place)
  const cloning = startClone(place, link, ['--json'])
  await until(() => sockets(place).length === 2)
  sharing.signal('SIGSTOP')
  const { code, stdout } = await runPlait(place, ['status', '--json'])
  sharing.signal('SIGCONT')
  expect(code).toBe(0)
  expect(jsonLines(stdout)).toEqual([
    { event: 'silent', pid: sharing.pid, code: 'TIMEOUT', message: `process ${sharing.pid} does not answer` },
    expect.objectContaining({
      pid: cloning.pid,
      work: expect.objectContaining({
        role: 'clone',
        folder: place.target,
        progress: expect.objectContaining({ failed: 0 }) as unknown,
      }) as unknown,
    }),
  ])
  await cloning.kill('SIGINT')
  await until(() => sockets(place).length === 1)
})

it('shows itself each second, on SIGUSR1, and over HTTP where it is told to', async () => {
  const place = makePlace()
  const { program } = await startShare(place, ['--listen', '127.0.0.1:0', '--metrics', '127.0.0.1:0'])
  const watching = startProgram(plaitProgram, ['status', '--watch'], { env: place.env })
  const [, url = ''] = /counters are at (http:\S+)/.exec(program.stderr) ?? []
  const metrics = await fetch(url)
  expect(metrics.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect(await metrics.text()).toMatch(/^plait_sessions_opened_total 0\n(?:.*\n)*# EOF\n$/m)
  program.signal('SIGUSR1')
  await until(() => program.stderr.includes(' memory '))
  expect(program.stderr).toMatch(new RegExp(`\nshare ${place.source}  \\(process ${program.pid}, `))
  // Not Node's own answer to this signal, a debugger that listens.
  expect(program.stderr).not.toMatch(/debugger/i)
  await until(() => watching.stdout.split('\n').length > 2)
  watching.signal('SIGINT')
  const { code, stdout } = await watching.outcome()
  expect([code, program.running]).toEqual([0, true])
  expect(stdout).toMatch(/^(?:\d{4}-\d\d-\d\dT[\d:.]+Z share \S+: 0 sessions, 0 B sent, 0 B received\n){2,}$/)
})

it('says that counters cannot be shown at an address, and ends', async () => {
  const place = makePlace()
  const { code, stderr } = await runPlait(place, ['share', place.source, '--metrics', '192.0.2.1:9464'])
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^plait: metrics cannot be shown at 192\.0\.2\.1:9464: .*EADDRNOTAVAIL/m),
  ])
})

it('takes away the socket of a program that was killed, and believes none where others could put one', async () => {
  const place = makePlace()
  const { program: killed } = await startShare(place)
  await killed.kill('SIGKILL')
  expect(sockets(place)).toHaveLength(1)
  const nothing = await runPlait(place, ['status'])
  expect([nothing.code, nothing.stderr]).toEqual([1, 'nothing is shared, cloned or served here at the moment\n'])
  expect(sockets(place)).toEqual([])
  chmodSync(join(place.base, 'run/plait'), 0o755)
  const refusal = / lets other users in; run: chmod 700 /
  // It shares all the same, and says what will be missing.
  const { program } = await startShare(place)
  expect(program.stderr).toMatch(/^warning: `plait status` will not find this program: the folder of control sockets /m)
  expect(program.stderr).toMatch(refusal)
  expect(sockets(place)).toEqual([])
  const { code, stderr } = await runPlait(place, ['status'])
  expect([code, stderr]).toEqual([1, expect.stringMatching(refusal)])
})
