import { PlaitError, type ErrorCode } from '../../base/error.ts'
import type { Progress } from '../../drive/progress.ts'
import { parseNodeId, type NodeId } from '../../identity/node-id.ts'
import type { NodeSnapshot, NodeStats, SessionSnapshot } from '../../node/node-api.ts'

// One line of JSON with a question to the socket of a running program, one line of JSON back.

export const requestBytesMax: number = 64 * 1024
/** A node with every session and circuit that it may have says this much of itself, and more. */
export const answerBytesMax: number = 256 * 1024 * 1024

export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'peers' }
  | { readonly command: 'ping'; readonly nodeId: NodeId }

/** What a program is there for. */
export interface Work {
  readonly role: 'share' | 'clone'
  readonly folder: string
  readonly driveId: string
  readonly progress?: Readonly<Progress>
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

export interface ControlAnswers {
  readonly status: Status
  readonly peers: Peers
  readonly ping: Pong
}

/** Reads a question. Throws `INVALID_ARGUMENT`, or what a node id that is none throws. */
export function parseRequest(line: string): ControlRequest {
  const { command, nodeId } = parseRecord(line)
  if (command === 'status' || command === 'peers') return { command }
  if (command === 'ping') return { command, nodeId: parseNodeId(String(nodeId)) }
  throw new PlaitError('INVALID_ARGUMENT', 'the commands are status, peers and ping')
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
