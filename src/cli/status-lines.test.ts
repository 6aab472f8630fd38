import { expect, it } from 'vitest'
import { startProgress } from '../drive/progress.ts'
import { formatFeedId } from '../feed/feed-id.ts'
import { formatFeedLink } from '../feed/feed-link.ts'
import { createIdentity } from '../identity/identity.ts'
import { MessageSection } from '../message/message-stats.ts'
import type { PeerFacts, Status } from './control/control-protocol.ts'
import { peersTable } from './peers-command.ts'
import { parsePingTarget } from './ping-command.ts'
import { statusLine, statusLines } from './status-lines.ts'
import { table } from './table.ts'

const nodeId = createIdentity().id
const status: Status = {
  pid: 42,
  version: '0.1.0',
  nodeId,
  uptimeMs: 185_000,
  work: { role: 'share', folder: '/photos\u001b[2J', driveId: 'd' },
  stats: {
    sessions: { opened: 2, closed: 2, live: 0, refused: 0 },
    circuits: { opened: 5, closed: 4, live: 1, refused: 0 },
    fragments: { sent: 0, received: 0, errorsSent: 0, errorsReceived: 0 },
    bytes: { sent: 1_200_000, received: 999 },
    writes: 0,
    sections: {},
  },
  snapshot: {
    id: nodeId,
    addresses: [`plait://${nodeId}@127.0.0.1:7001`],
    budget: { usedBytes: 4_100, limitBytes: 512_000_000 },
    peers: [],
    sessions: [],
  },
}

it('says what a program does, and lets nothing through to the terminal', () => {
  expect(statusLines(status)).toEqual([
    'share /photos\\e[2J  (process 42, plait 0.1.0, up 3 min 5 s)',
    `  node      ${nodeId}`,
    '  listens   127.0.0.1:7001',
    '  peers     0 sessions, 1 circuit',
    '  traffic   1.20 MB sent, 999 B received',
    '  memory    4.10 kB of 512 MB',
  ])
  expect(statusLine(status)).toBe('share /photos\\e[2J: 0 sessions, 1.20 MB sent, 999 B received')
})

it('says how many feeds a program serves', () => {
  const work = { role: 'feed', folder: '/state/feeds', feeds: { count: 2, blocks: 1_200 } } as const
  const [first, , , third] = statusLines({ ...status, work })
  expect([first?.split('  ')[0], third]).toEqual(['feed /state/feeds', '  feeds     2 feeds, 1,200 blocks'])
})

it('says how far a clone is, and what messages there were', () => {
  const progress = { ...startProgress(), filesDone: 1_000, filesTotal: 2_000, bytesDone: 10, bytesTotal: 20, failed: 1 }
  const messages = { ...new MessageSection().read(), postsSent: 1, requestsSent: 2, requestsReceived: 3_000 }
  const cloning: Status = {
    ...status,
    work: { role: 'clone', folder: '/copy', driveId: 'd', progress },
    stats: { ...status.stats, sections: { messages } },
    snapshot: { ...status.snapshot, addresses: [] },
  }
  expect(statusLines(cloning).slice(2)).toEqual([
    '  progress  1,000 of 2,000+ files, 10 B of 20 B+, 1 failed',
    '  peers     0 sessions, 1 circuit',
    '  traffic   1.20 MB sent, 999 B received',
    '  memory    4.10 kB of 512 MB',
    '  messages  1 post and 2 requests sent, 0 and 3,000 received, 0 streams open',
  ])
})

it('shows peers in columns', () => {
  const peer: PeerFacts = {
    nodeId,
    remoteAddress: '127.0.0.1:5',
    state: 'ready',
    dialled: false,
    roundTripMs: 0.4213,
    bytesSent: 4_100,
    bytesReceived: 0,
    resumes: 0,
    circuits: 12,
  }
  const { snapshot: _, stats: __, ...facts } = status
  const peers = [peer, { ...peer, state: 'connecting' as const, roundTripMs: undefined, circuits: 0 }]
  const rows = peersTable([{ ...facts, peers }]).map((line) => line.replace(nodeId, 'ID').split(/ {2,}/))
  expect(rows[1]).toEqual(['ID', '127.0.0.1:5', 'ready', '0.42 ms', '4.10 kB', '0 B', '12', 'share /photos\\e[2J (42)'])
  expect(rows[2]).toMatchObject({ 2: 'connecting', 3: '-' })
})

it('keeps columns straight, figures to the right', () => {
  expect(
    table(
      ['NAME', 'COUNT'],
      [
        ['a', '1'],
        ['longer', '1,000,000'],
      ],
      [1],
    ),
  ).toEqual(['NAME        COUNT', 'a               1', 'longer  1,000,000'])
})

it('takes a link, an address or a bare id as what to ping', () => {
  const addresses = [{ host: '127.0.0.1', port: 7 }]
  expect(parsePingTarget(` ${nodeId} `)).toEqual({ nodeId, addresses: [] })
  expect(parsePingTarget(`plait://${nodeId}@127.0.0.1:7`)).toEqual({ nodeId, addresses })
  expect(parsePingTarget(`plait://${nodeId}@127.0.0.1:7/chat/alice`)).toMatchObject({ nodeId, addresses })
  expect(() => parsePingTarget(`plait://${nodeId}@127.0.0.1:7/d/x#r.y`)).toThrow(/share link/)
  const feedId = formatFeedId({ name: new Uint8Array(32), isSealed: true })
  expect(parsePingTarget(formatFeedLink({ nodeId, addresses, feedId }))).toMatchObject({ nodeId, addresses })
  expect(() => parsePingTarget('127.0.0.1:7')).toThrow(/plait:\/\//)
})
