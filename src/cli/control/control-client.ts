import { unlinkSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { PlaitError } from '../../base/error.ts'
import { fileError, systemCode } from '../../drive/disk/file-error.ts'
import { controlFolder, listControlAddresses, type ControlAddress } from './control-folder.ts'
import { answerBytesMax, parseAnswer, type ControlAnswers, type ControlRequest } from './control-protocol.ts'
import { driveTimeoutsMs } from './drive-requests.ts'
import { groupTimeoutsMs } from './group-requests.ts'
import { readLine } from './line-reader.ts'

/** A ping waits for the other node. */
const answerTimeoutsMs: Readonly<Record<ControlRequest['command'], number>> = {
  status: 2_000,
  peers: 2_000,
  ping: 10_000,
  feeds: 2_000,
  // They wait for a disk, or for somebody else's blocks.
  'feed-create': 30_000,
  'feed-clone': 120_000,
  'feed-append': 600_000,
  ...groupTimeoutsMs,
  ...driveTimeoutsMs,
}
/** Between binding its socket and listening on it a program refuses too, for an instant. */
const secondLookMs = 100

/** Which programs are meant: all, when neither is given. */
export interface ProgramFilter {
  readonly pid?: number
  /** A node id, or its beginning. */
  readonly node?: string
}

export interface Asked<Answer> {
  readonly address: ControlAddress
  /** The answer, or why there is none. */
  readonly answer: Answer | PlaitError
}

type AnswerTo<Request extends ControlRequest> = ControlAnswers[Request['command']]

/** Asks all running programs of this user that are meant; sockets that nobody listens on any more are taken away. */
export async function askPrograms<Request extends ControlRequest>(
  request: Request,
  { pid, node = '' }: ProgramFilter = {},
): Promise<readonly Asked<AnswerTo<Request>>[]> {
  const addresses = listControlAddresses(controlFolder()).filter(
    (address) =>
      (pid === undefined || address.pid === pid) &&
      (node.startsWith(address.nodeIdStart) || address.nodeIdStart.startsWith(node)),
  )
  const asked = await Promise.all(
    addresses.map(async (address): Promise<Asked<AnswerTo<Request>> | undefined> => {
      try {
        const answer = await askOrRemove(address, request)
        return answer === undefined ? undefined : { address, answer }
      } catch (error) {
        return { address, answer: PlaitError.from(error, 'UNREACHABLE') }
      }
    }),
  )
  return asked.filter((one) => one !== undefined)
}

/** Asks one program. Rejects with the error that it answers, `UNREACHABLE`, `TIMEOUT`, `LIMIT` or `LINK_LOST`. */
export async function askProgram<Request extends ControlRequest>(
  { path, pid }: ControlAddress,
  request: Request,
): Promise<AnswerTo<Request>> {
  const socket = await connect(path)
  try {
    socket.write(`${JSON.stringify(request)}\n`)
    return parseAnswer(await readAnswer(socket, pid, answerTimeoutsMs[request.command])) as AnswerTo<Request>
  } finally {
    socket.destroy()
  }
}

async function readAnswer(socket: Socket, pid: number, timeoutMs: number): Promise<string> {
  try {
    return await readLine(socket, { bytesMax: answerBytesMax, timeoutMs })
  } catch (error) {
    if (PlaitError.is(error) && error.code === 'TIMEOUT')
      throw new PlaitError('TIMEOUT', `process ${pid} does not answer`, { cause: error })
    throw PlaitError.from(error, 'UNREACHABLE')
  }
}

/** Undefined when nobody is there any more. */
async function askOrRemove<Request extends ControlRequest>(
  address: ControlAddress,
  request: Request,
): Promise<AnswerTo<Request> | undefined> {
  try {
    return await askProgram(address, request)
  } catch (error) {
    if (!isGone(error)) throw error
  }
  await delay(secondLookMs)
  try {
    return await askProgram(address, request)
  } catch (error) {
    if (!isGone(error)) throw error
    remove(address.path)
    return undefined
  }
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('error', (error) =>
      reject(new PlaitError('UNREACHABLE', `nobody answers at ${path} (${systemCode(error)})`, { cause: error })),
    )
    socket.once('connect', () => {
      // What breaks from now on is told to whoever reads.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

/** Whether there was nobody to ask: nothing of the question has come anywhere. */
export function isGone(error: unknown): boolean {
  const code = systemCode(error instanceof Error ? error.cause : undefined)
  return code === 'ECONNREFUSED' || code === 'ENOENT'
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError(error, path)
  }
}
