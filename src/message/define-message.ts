import { PlaitError } from '../base/error.ts'
import { contentMax } from './codec.ts'
import type { Codec } from './codec.ts'

/** What both ends agree on: a number, and how its values are written. */
export interface MessageType<Request = unknown, Response = unknown> {
  readonly id: number
  readonly name: string
  readonly request: Codec<Request>
  readonly response: Codec<Response>
}

export interface MessageDefinition<Request, Response> {
  /** A safe integer; those below 4096 are the system's. */
  readonly id: number
  /** For people: in errors and counters. */
  readonly name: string
  /** Of what posts and requests say, and who begins a stream. */
  readonly request: Codec<Request>
  /** Of answers, and of what comes back on a stream. That of `request` when absent. */
  readonly response?: Codec<Response>
}

/** Numbers below are the system's. */
export const applicationIdMin = 4_096

/** A message type for the application. Throws `INVALID_ARGUMENT` for a number that is not the application's. */
export function defineMessage<Request, Response = Request>(
  definition: MessageDefinition<Request, Response>,
): MessageType<Request, Response> {
  const { id } = definition
  if (!Number.isSafeInteger(id) || id < applicationIdMin) {
    throw new PlaitError(
      'INVALID_ARGUMENT',
      `the id of a message is a safe integer from ${applicationIdMin} up, not ${id}`,
    )
  }
  return messageType(definition)
}

/** Any message type, those of the system among them. */
export function messageType<Request, Response>(
  definition: MessageDefinition<Request, Response>,
): MessageType<Request, Response> {
  const { id, name, request } = definition
  const response = definition.response ?? (request as unknown as Codec<Response>)
  for (const { content } of [request, response]) {
    if (!Number.isInteger(content) || content < 0 || content > contentMax) {
      throw new PlaitError(
        'INVALID_ARGUMENT',
        `the content number of a codec of ${name} is in 0 .. ${contentMax}, not ${content}`,
      )
    }
  }
  return Object.freeze({ id, name, request, response })
}
