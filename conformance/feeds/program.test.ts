import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { formatFeedId } from '../../src/feed/feed-id.ts'
import { formatFeedLink, parseFeedLink } from '../../src/feed/feed-link.ts'
import { createIdentity } from '../../src/identity/identity.ts'
import { createNode } from 'plait'
import { parseUrl } from '../../src/node/url.ts'
import { jsonLines } from '../drive/place.ts'
import {
  feedLink,
  makeMachine,
  outputOf,
  runFeed,
  runShell,
  startAppend,
  startFeed,
  startServing,
  type Machine,
} from './place.ts'

// `plait feed` as its users run it: real processes, each machine with a store of its own.

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`).join('')

it('brings lines from one machine to another through a third that only holds a copy', async () => {
  const [writer, holder, reader] = [makeMachine(), makeMachine(), makeMachine()]
  const appending = await startAppend(writer)
  appending.program.write('first\nsec')
  const holding = await startServing(holder, ['clone', appending.link, '--serve'])
  expect(parseFeedLink(holding.link).feedId).toBe(parseFeedLink(appending.link).feedId)
  expect(parseFeedLink(holding.link).nodeId).not.toBe(parseFeedLink(appending.link).nodeId)
  const following = startFeed(reader, ['follow', holding.link])
  await following.line(/^first$/)
  // A line comes when it is whole.
  appending.program.write('ond\n')
  await following.line(/^second$/)
  await following.kill('SIGINT')
  expect([await following.exited, following.stdout, following.stderr]).toEqual([
    { code: 0, signal: null },
    'first\nsecond\n',
    '',
  ])
  // What comes while nobody follows is there for who comes again.
  appending.program.write(numbered(2, 3_000))
  const again = startFeed(reader, ['follow', holding.link, '--from', '2', '--to', '3000'])
  const outcome = await again.outcome({ timeoutMs: 60_000 })
  expect([outcome.code, outcome.stdout]).toEqual([0, numbered(2, 3_000)])
  const last = startFeed(reader, ['follow', holding.link, '--tail', '1', '--json'])
  await last.line(/^\{"event":"block","index":2999,"text":"line 2999"\}$/)
  appending.program.write('no newline')
  appending.program.endInput()
  // It has handed over what came last before it ends.
  const ended = await appending.program.outcome()
  expect([ended.code, ended.stdout]).toEqual([0, ''])
  expect(ended.stderr).toMatch(/\n3,001 blocks appended \(.*\), all durable; the feed has 3,001\n$/)
  await last.line(/"index":3000,"text":"no newline"/)
  await last.kill('SIGINT')
  expect(await outputOf(reader, ['cat', holding.link, '--from', '2999'])).toBe('line 2999\nno newline\n')
  expect(await outputOf(holder, ['cat', 'feed:', '--to', '2'])).toBe('first\nsecond\n')
  await holding.program.kill('SIGINT')
  expect((await holding.program.exited).code).toBe(0)
  expect(await outputOf(holder, ['cat', 'feed:'])).toBe(`first\nsecond\n${numbered(2, 3_000)}no newline\n`)
  // Nothing stays of what was only read.
  expect([existsSync(reader.store), readdirSync(reader.source)]).toEqual([false, []])
})

it('goes on following when the writer comes again, by the same link', async () => {
  const [writer, reader] = [makeMachine(), makeMachine()]
  const first = await startAppend(writer, [])
  first.program.write('before\n')
  const following = startFeed(reader, ['follow', first.link])
  await following.line(/^before$/)
  await first.program.kill('SIGKILL')
  const second = await startAppend(writer, [])
  expect(second.link).toBe(first.link)
  second.program.write('after\n')
  await following.line(/^after$/, { timeoutMs: 60_000 })
  await following.kill('SIGINT')
  expect(following.stdout).toBe('before\nafter\n')
  // Ctrl-C ends the input, and nothing that was read is lost.
  second.program.write('unfinished')
  await new Promise((resolve) => setTimeout(resolve, 500))
  const { code } = await second.program.kill('SIGINT')
  expect([code, await outputOf(writer, ['cat', 'feed:'])]).toEqual([0, 'before\nafter\nunfinished\n'])
})

it('clones all of a feed, and only what is new the next time', async () => {
  const [writer, holder] = [makeMachine(), makeMachine()]
  expect(await outputOf(writer, ['append'], numbered(0, 500))).toBe('')
  const serving = await startServing(writer, ['serve'])
  const first = await runFeed(holder, ['clone', serving.link, '--json'])
  expect([first.code, first.stderr]).toEqual([0, ''])
  expect(jsonLines(first.stdout).at(-1)).toMatchObject({ event: 'summary', length: 500, held: 500, blocksFetched: 500 })
  // The writer's store is served by another process: it takes the blocks.
  expect((await runFeed(writer, ['append'], numbered(500, 510))).stderr).toMatch(
    new RegExp(`process ${serving.program.pid} has the store`),
  )
  const second = await runFeed(holder, ['clone', serving.link, '--json'])
  expect(jsonLines(second.stdout).at(-1)).toMatchObject({ event: 'summary', length: 510, held: 510, blocksFetched: 10 })
  const words = await runFeed(holder, ['clone', '-'], `${serving.link}\n`)
  expect(words.stderr).toBe('all 510 blocks (3.97 kB) are here and verified: nothing fetched\n')
  await serving.program.kill('SIGINT')
  expect(await outputOf(holder, ['cat', 'feed:'])).toBe(numbered(0, 510))
  // Whoever has a copy serves it, and does not write it.
  expect((await startServing(holder, ['serve'])).link).toMatch(feedLink)
  const refused = await runFeed(holder, ['append', 'feed:'], 'mine\n')
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/^plait: the key of that feed is not in this store/m),
  ])
})

it('brings bytes as they are, in blocks of a size or in one, and ends quietly when nobody reads on', async () => {
  const [machine, reader] = [makeMachine(), makeMachine()]
  const bytes = Uint8Array.from(randomBytes(300_001))
  runShell(machine, 'plait feed append --blocks 65536', bytes)
  const facts = jsonLines(await outputOf(machine, ['info', '--json']))
  expect(facts).toEqual([expect.objectContaining({ event: 'feed', length: 5, bytes: 300_001, held: 5, holes: [] })])
  expect(Uint8Array.from(runShell(machine, 'plait feed cat feed: --raw'))).toEqual(bytes)
  const serving = await startServing(machine, ['serve'])
  expect(Uint8Array.from(runShell(reader, `plait feed cat '${serving.link}' --raw`))).toEqual(bytes)
  runShell(machine, 'plait feed append --whole', bytes.subarray(0, 1_000))
  expect(Uint8Array.from(runShell(reader, `plait feed cat '${serving.link}' --raw --from 5`))).toEqual(
    bytes.subarray(0, 1_000),
  )
  await outputOf(machine, ['append'], numbered(0, 50_000))
  for (const source of [`'${serving.link}'`, 'feed:'])
    expect(String(runShell(machine, `plait feed cat ${source} --from 6 2>&1 | head -2`))).toBe('line 0\nline 1\n')
  expect(String(runShell(machine, 'plait feed follow feed: --from 6 2>&1 | head -1'))).toBe('line 0\n')
})

it('says what there is, from the store, from who has it, and from elsewhere', async () => {
  const [writer, reader] = [makeMachine(), makeMachine()]
  expect((await runFeed(writer, ['info'])).stderr).toMatch(/^the store has no feeds yet/)
  const id = (await outputOf(writer, ['create'])).trim()
  expect(id).toMatch(/^feed:[a-z2-7]{52}$/)
  expect(jsonLines(await outputOf(writer, ['info', id.slice(0, 12), '--json']))).toEqual([
    expect.objectContaining({ id, length: 0, isWritable: true, peers: [] }),
  ])
  const { program, link } = await startAppend(writer)
  expect(parseFeedLink(link).feedId).toBe(id)
  program.write(numbered(0, 10))
  const following = startFeed(reader, ['follow', link, '--from', '8'])
  await following.line(/^line 9$/)
  const [own] = jsonLines(await outputOf(writer, ['info', id, '--json']))
  expect(own).toMatchObject({ id, length: 10, held: 10, isWritable: true, peers: [{}] })
  const [far] = jsonLines(await outputOf(reader, ['info', link, '--json']))
  const writerNode = parseFeedLink(link).nodeId
  expect(far).toMatchObject({ id, length: 10, held: 0, holes: [0, 10], peers: [{ nodeId: writerNode, held: 10 }] })
  expect(await outputOf(reader, ['info', link])).toContain(`  peer      ${writerNode}  has all 10 blocks\n`)
  expect(await outputOf(writer, ['info'])).toMatch(new RegExp(`^FEED .*\\n${id} +10 +60 B +10 +1  yes\\n$`))
  const other = (await outputOf(writer, ['create', '--json'])).trim()
  expect(jsonLines(other)).toEqual([{ event: 'created', id: expect.stringMatching(/^feed:/) as string }])
  await program.kill('SIGINT')
  const unsure = await runFeed(writer, ['append'], 'to which?\n')
  expect([unsure.code, unsure.stderr]).toEqual([
    1,
    expect.stringMatching(/^plait: the store has 2 feeds to append to; say which/),
  ])
})

async function expectFailure(machine: Machine, args: readonly string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await runFeed(machine, args)
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(message)])
}

it('says what is wrong with a link, and what to do', async () => {
  const [writer, reader] = [makeMachine(), makeMachine()]
  const { program, link } = await startAppend(writer)
  await using other = await createNode({ listen: ['tcp://127.0.0.1:0'] })
  const parts = parseFeedLink(link)
  const nobody = formatFeedLink({ ...parts, addresses: [{ host: '127.0.0.1', port: 1 }] })
  const nobodyMessage = /^plait: nobody answers at 127\.0\.0\.1:1; see that `plait feed serve` is running there/
  await expectFailure(reader, ['info', nobody, '--wait', '1'], nobodyMessage)
  const stranger = formatFeedLink({ ...parts, nodeId: createIdentity().id })
  await expectFailure(reader, ['clone', stranger], /^plait: another node than the one of this link answers/)
  const otherFeed = formatFeedId({ name: createIdentity().publicKey, isSealed: false })
  const unknown = formatFeedLink({ ...parts, feedId: otherFeed })
  await expectFailure(reader, ['cat', unknown, '--wait', '1'], /is up, but does not have that feed; see/)
  const { nodeId, addresses } = parseUrl(other.addresses[0] ?? '')
  const noFeeds = formatFeedLink({ ...parts, nodeId, addresses })
  await expectFailure(reader, ['cat', noFeeds, '--wait', '2'], /was reached, but it serves no feeds/)
  const json = await runFeed(reader, ['info', nobody, '--wait', '1', '--json'])
  expect([json.code, json.stderr, jsonLines(json.stdout)]).toEqual([
    1,
    '',
    [expect.objectContaining({ event: 'error', code: 'UNREACHABLE' })],
  ])
  await expectFailure(reader, ['cat', parts.feedId], /^plait: that feed is not in the store/)
  await program.kill('SIGINT')
})

it('has one owner for each store, whom the others ask, and who is named to those that cannot', async () => {
  const machine = makeMachine()
  const { program, link } = await startServing(machine, ['serve', '--peer', await linkOfNobody()])
  expect(await outputOf(machine, ['append'], 'one\ntwo\n')).toBe('')
  const served = await program.line(new RegExp(`^plait://${parseFeedLink(link).nodeId}@\\S+#feed\\.`))
  expect(served).not.toBeNull()
  const inUse = new RegExp(`^plait: process ${program.pid} has the store ${machine.store}, and .*; stop it first`)
  await expectFailure(machine, ['serve'], inUse)
  const status = await runFeed(machine, ['info', '--json'])
  const own = jsonLines(status.stdout).find(({ isWritable }) => isWritable === true)
  expect(own).toMatchObject({ length: 2, held: 2 })
  expect(await outputOf(machine, ['cat', String(own?.['id'])])).toBe('one\ntwo\n')
  const following = startFeed(machine, ['follow', String(own?.['id']), '--tail', '1'])
  await following.line(/^two$/)
  const large = 'x'.repeat(1024 * 1024)
  await outputOf(machine, ['append', String(own?.['id'])], `${large}\nthree\n`)
  await following.line(/^three$/, { timeoutMs: 60_000 })
  await program.kill('SIGKILL')
  // What another process has appended through it is durable.
  expect(await outputOf(machine, ['cat', String(own?.['id'])])).toBe(`one\ntwo\n${large}\nthree\n`)
})

/** A link to a feed of a machine that is not there. */
async function linkOfNobody(): Promise<string> {
  const machine = makeMachine()
  const { program, link } = await startAppend(machine)
  await program.kill('SIGKILL')
  rmSync(machine.base, { recursive: true })
  return link
}

it('appends on when the program that had the store ends, and clones by the one that has it', async () => {
  const [machine, other] = [makeMachine(), makeMachine()]
  const id = (await outputOf(machine, ['create'])).trim()
  const { program, link } = await startServing(machine, ['serve'])
  const appending = startFeed(machine, ['append'])
  await appending.line(new RegExp(`process ${program.pid} has the store`), { stream: 'stderr' })
  appending.write('before\n')
  const reading = startFeed(other, ['follow', link])
  await reading.line(/^before$/)
  const writer = await startAppend(other)
  writer.program.write(numbered(0, 100))
  writer.program.endInput()
  await writer.program.line(/100 blocks appended/, { stream: 'stderr' })
  // It ends as soon as nobody wants more of it: here it stays, as a store that is served.
  await writer.program.outcome()
  const served = await startServing(other, ['serve'])
  const cloned = await runFeed(machine, ['clone', served.link, '--json'])
  expect(jsonLines(cloned.stdout).map(({ event }) => event)).toEqual(['owner', 'summary'])
  expect(jsonLines(cloned.stdout).at(-1)).toMatchObject({ length: 100, held: 100, blocksFetched: 100 })
  expect((await program.kill('SIGINT')).code).toBe(0)
  appending.write('after\n')
  const [again] = await appending.line(feedLink, { stream: 'stderr' })
  expect(parseFeedLink(again)).toMatchObject({ feedId: id, nodeId: parseFeedLink(link).nodeId })
  appending.endInput()
  expect((await appending.outcome()).stderr).toMatch(/2 blocks appended \(11 B\), all durable; the feed has 2\n$/)
  expect(await outputOf(machine, ['cat', id])).toBe('before\nafter\n')
})

it('takes nothing of a line that is too long, and all that came before it', async () => {
  const machine = makeMachine()
  const { code, stderr } = await runFeed(machine, ['append'], `one\ntwo\n${'x'.repeat(1024 * 1024 + 1)}\nfour\n`)
  expect([code, stderr]).toEqual([1, expect.stringMatching(/\nplait: line 3 is longer than a block may be/)])
  expect(await outputOf(machine, ['cat', 'feed:'])).toBe('one\ntwo\n')
})
