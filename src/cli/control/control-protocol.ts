import { PlaitError, type ErrorCode } from '../../base/error.ts'
import type { Progress } from '../../drive/progress.ts'
import type { FeedStatus } from '../../feed/feed-api.ts'
import type { FeedId } from '../../feed/feed-id.ts'
import { parseNodeId, type NodeId } from '../../identity/node-id.ts'
import { parseDriveRequest, type DriveAnswers, type DriveRequest } from './drive-requests.ts'
import { parseGroupRequest, type GroupAnswers, type GroupRequest } from './group-requests.ts'
import type { NodeSnapshot, NodeStats, SessionSnapshot } from '../../node/node-api.ts'

// One line of JSON with a question to the socket of a running program, one line of JSON back.

/** Room for the largest block of a feed, in base64. */
export const requestBytesMax: number = 2 * 1024 * 1024
/** A node with every session and circuit that it may have says this much of itself, and more. */
export const answerBytesMax: number = 256 * 1024 * 1024

export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'peers' }
  | { readonly command: 'ping'; readonly nodeId: NodeId }
  | FeedRequest
  | GroupRequest
  | DriveRequest

/** What only a program that has a store of feeds can do: the store has one owner, and the others ask it. */
export type FeedRequest =
  | { readonly command: 'feeds' }
  | { readonly command: 'feed-create' }
  /** Fetches all of the feed that a link leads to, and goes on following it. */
  | { readonly command: 'feed-clone'; readonly link: string }
  /** The one writable feed of the store, or a new one, when none is named. Blocks in base64, 1 MiB in all or a single one. */
  | { readonly command: 'feed-append'; readonly feed?: string; readonly blocks: readonly string[] }

/** What a program is there for. */
export interface Work {
  readonly role: 'share' | 'clone' | 'sync' | 'feed' | 'group' | 'topics'
  /** What is shared or cloned, the store of the feeds or groups, or the name of the network of topics. */
  readonly folder: string
  /** Of a network of topics, this one among them. */
  readonly members?: number
  /** Of `share`, `clone` and `sync`. */
  readonly driveId?: string
  readonly progress?: Readonly<Progress>
  /** How many feeds are served, of how many blocks. */
  readonly feeds?: { readonly count: number; readonly blocks: number }
  /** How many groups are served, with how many keys. */
  readonly groups?: { readonly count: number; readonly keys: number }
}

export interface ProgramFacts {
  readonly pid: number
  readonly version: string
  readonly nodeId: string
  readonly uptimeMs: number
  readonly work: Work
}

export interface Status extends ProgramFacts {
  readonly stats: NodeStats
  readonly snapshot: NodeSnapshot
}

/** A node with which the program has a session, or is about to. */
export interface PeerFacts extends Pick<
  SessionSnapshot,
  'remoteAddress' | 'state' | 'dialled' | 'roundTripMs' | 'bytesSent' | 'bytesReceived' | 'resumes'
> {
  readonly nodeId: string
  readonly circuits: number
}

export interface Peers extends ProgramFacts {
  readonly peers: readonly PeerFacts[]
}

export interface Pong {
  readonly roundTripMs: number
}

/** A feed as the owner of its store sees it. */
export interface FeedFacts extends FeedStatus {
  readonly isWritable: boolean
  readonly isSealed: boolean
}

export interface FeedsAnswer extends ProgramFacts {
  /** Where the program listens: `plait://NODEID@HOST:PORT`. */
  readonly addresses: readonly string[]
  readonly feeds: readonly FeedFacts[]
}

export interface ControlAnswers extends GroupAnswers, DriveAnswers {
  readonly status: Status
  readonly peers: Peers
  readonly ping: Pong
  readonly feeds: FeedsAnswer
  readonly 'feed-create': { readonly id: FeedId }
  /** `length`: of the feed now, whose blocks are being fetched. `link`: by which others get it from that program. */
  readonly 'feed-clone': { readonly id: FeedId; readonly length: number; readonly link: string }
  /** `length`: of the feed, with these blocks, which are durable. */
  readonly 'feed-append': { readonly id: FeedId; readonly length: number }
}

/** Reads a question. Throws `INVALID_ARGUMENT`, or what a node id that is none throws. */
export function parseRequest(line: string): ControlRequest {
  const fields = parseRecord(line)
  const { command, nodeId, feed, link, blocks } = fields
  if (command === 'status' || command === 'peers' || command === 'feeds' || command === 'feed-create')
    return { command }
  if (command === 'ping') return { command, nodeId: parseNodeId(String(nodeId)) }
  if (command === 'feed-clone') return { command, link: String(link) }
  if (command === 'feed-append') {
    if (!Array.isArray(blocks) || !blocks.every((block) => typeof block === 'string'))
      throw new PlaitError('INVALID_ARGUMENT', 'blocks are an array of texts in base64')
    return { command, blocks, ...(typeof feed === 'string' ? { feed } : {}) }
  }
  const request = parseGroupRequest(fields) ?? parseDriveRequest(fields)
  if (request !== undefined) return request
  throw new PlaitError(
    'INVALID_ARGUMENT',
    'the commands are status, peers, ping, feeds, groups, and those that begin with feed-, group-, kv- and drive-',
  )
}

export function answerLine(answer: unknown): string {
  return `${JSON.stringify({ ok: true, answer })}\n`
}

export function errorLine(error: unknown): string {
  const { code, message, facts } = PlaitError.from(error, 'ABORTED')
  return `${JSON.stringify({ ok: false, error: { code, message, facts } })}\n`
}

/** What was answered. Throws the error that was, and `INVALID_ARGUMENT` for what is no answer. */
export function parseAnswer(line: string): unknown {
  const { ok, answer, error } = parseRecord(line)
  if (ok === true) return answer
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  if (ok !== false || typeof code !== 'string' || typeof message !== 'string')
    throw new PlaitError('INVALID_ARGUMENT', 'the program answered something else than expected')
  throw new PlaitError(code as ErrorCode, message)
}

function parseRecord(line: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw new PlaitError('INVALID_ARGUMENT', 'this is not a line of JSON', { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new PlaitError('INVALID_ARGUMENT', 'this is not an object in JSON')
  return value as Readonly<Record<string, unknown>>
}
