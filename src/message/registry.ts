import { PlaitError } from '../base/error.ts'
import type { MessageType } from './define-message.ts'
import type { DefaultHandler, MessageHandler, StreamHandler } from './messenger-api.ts'

export interface Registration {
  readonly type: MessageType
  readonly handler: MessageHandler<unknown, unknown>
}

export interface StreamRegistration {
  readonly type: MessageType
  readonly handler: StreamHandler<unknown, unknown>
}

/** Who serves which type of message at one end of a circuit. */
export class Registry {
  /** Takes what nobody else takes. */
  byDefault: DefaultHandler | undefined
  readonly #byId = new Map<number, Registration>()
  readonly #streamsById = new Map<number, StreamRegistration>()

  /** Throws `INVALID_ARGUMENT` when there is a handler already. */
  add<Request, Response>(type: MessageType<Request, Response>, handler: MessageHandler<Request, Response>): void {
    if (this.#byId.has(type.id)) throw taken(type)
    this.#byId.set(type.id, { type, handler } as unknown as Registration)
  }

  /** Throws `INVALID_ARGUMENT` when there is a handler already. */
  addStream<Request, Response>(type: MessageType<Request, Response>, handler: StreamHandler<Request, Response>): void {
    if (this.#streamsById.has(type.id)) throw taken(type)
    this.#streamsById.set(type.id, { type, handler } as unknown as StreamRegistration)
  }

  remove(type: MessageType): void {
    this.#byId.delete(type.id)
    this.#streamsById.delete(type.id)
  }

  find(id: number): Registration | undefined {
    return this.#byId.get(id)
  }

  findStream(id: number): StreamRegistration | undefined {
    return this.#streamsById.get(id)
  }
}

function taken(type: MessageType): PlaitError {
  return new PlaitError(
    'INVALID_ARGUMENT',
    `messages of type ${type.id} (${type.name}) are handled already: unhandle them first`,
  )
}
