import type { Circuit, WaitOptions } from '../circuit/circuit-api.ts'
import type { MessageType } from './define-message.ts'
import type { EncodingName } from './frame.ts'

export interface MessengerOptions {
  /** Compressions that this side reads; told to the other side, which uses the first one that it knows. None when absent. */
  readonly accept?: readonly EncodingName[]
  /** Messages from this size on are packed when the other side reads that. 1,024 when absent. */
  readonly compressFromBytes?: number
  /** What a packed message may become; a larger one is refused with `LIMIT`. The limit `inflatedBytes` when absent. */
  readonly inflatedBytes?: number
  /** How long messages wait for others that leave with them, in ms. 0, until the end of the turn of the event loop, when absent. */
  readonly flushMs?: number
  /** With so many bytes together they do not wait for `flushMs`. 65,536 when absent. */
  readonly batchBytes?: number
  /** Requests that others may have under way here, told to the other side. The limit `requestsInFlight` when absent. */
  readonly maxInFlight?: number
  /**
   * Handlers of requests that run at once; others wait in order. As many as may be under way when absent. And handlers of posts:
   * while so many take their time the circuit is not read, so that its credit holds the sender up, unless this end itself waits for
   * an answer or for room. The limit `postsAtOnce` at most, and when absent.
   */
  readonly maxHandlers?: number
  /** Is told what handlers throw; the other side is told only that one has failed. */
  readonly onError?: (error: unknown, type: string) => void
}

/** What a handler is told of who asks. */
export interface MessageContext {
  /** Fires when the answer is not wanted any more: cancelled, past its deadline, or its circuit has ended. Never for a post. */
  readonly signal: AbortSignal
  /** The id of the node that asks. */
  readonly from: string
  readonly circuit: Circuit
}

/** Answers requests, at once or later. For a post what it returns counts for nothing. */
export type MessageHandler<Request, Response> = (
  message: Request,
  context: MessageContext,
) => Response | Promise<Response>

/**
 * Serves one stream: `message` is what it began with. What it gives, if it gives an iterable, is sent, and the stream ended; else it
 * sends on `stream`, which is ended when its promise resolves: then nobody reads it any more either, and the other side is told
 * so.
 */
export type StreamHandler<Request, Response> = (
  message: Request,
  context: MessageContext,
  stream: MessageStream<Response, Request>,
) => AsyncIterable<Response> | Promise<void> | void

/** Takes what has no handler of its own. For a request it gives the answer, as bytes. */
export type DefaultHandler = (
  message: UnknownMessage,
  context: MessageContext,
) => Uint8Array | void | Promise<Uint8Array | void>

export interface UnknownMessage {
  readonly id: number
  readonly kind: 'post' | 'request'
  /** Which codec has written it. */
  readonly content: number
  readonly payload: Uint8Array
}

export interface RequestOptions extends WaitOptions {
  /** From the call on; then the request rejects with `TIMEOUT`, and the handler's signal fires. None when absent. */
  readonly deadlineMs?: number
}

/** Typed messages over one circuit. Both sides may post, ask and serve; a circuit has one messenger at each end. */
export interface Messenger extends AsyncDisposable {
  readonly circuit: Circuit
  /** Live requests and streams of this end, those that wait to be sent among them, and those of the other end. */
  readonly live: number
  /** Serves posts and requests of a type; `INVALID_ARGUMENT` when it is served already. */
  handle<Request, Response>(type: MessageType<Request, Response>, handler: MessageHandler<Request, Response>): void
  /** Serves streams of a type. */
  handleStream<Request, Response>(type: MessageType<Request, Response>, handler: StreamHandler<Request, Response>): void
  /** Takes posts and requests that nothing else takes. */
  handleDefault(handler: DefaultHandler): void
  /** A type is no longer served; what is under way goes on. */
  unhandle(type: MessageType): void
  /**
   * Sends a message that wants no answer, in order. Returns whether there is room for more: when false, wait for `ready`. Throws
   * `BUFFER_FULL` past the hard limit, `FRAGMENT_TOO_LARGE`, `CIRCUIT_CLOSED`, and what the codec throws; then nothing was sent.
   */
  post<Request>(type: MessageType<Request, never> | MessageType<Request>, message: Request): boolean
  /**
   * Asks, and resolves to the answer. Rejects with the other side's error (`NO_HANDLER`, `HANDLER_FAILED`, `INVALID_MESSAGE`, `BUSY`,
   * `REMOTE` with the handler's own number), with `TIMEOUT`, the signal's reason, `BUFFER_FULL` when too many wait, `CIRCUIT_CLOSED`,
   * or with what ended the circuit.
   */
  request<Request, Response>(
    type: MessageType<Request, Response>,
    message: Request,
    options?: RequestOptions,
  ): Promise<Response>
  /**
   * Begins a stream. Throws what can be known at once: the signal's reason, `BUFFER_FULL`, `CIRCUIT_CLOSED`, what the codec throws;
   * all else of the errors of `request` comes when it is read. A `for await` that reaches its end ends this side of it too.
   */
  stream<Request, Response>(
    type: MessageType<Request, Response>,
    message: Request,
    options?: RequestOptions,
  ): MessageStream<Request, Response>
  /** The time that a message takes to the other side and back, in ms. */
  ping(options?: RequestOptions): Promise<number>
  /** Sends what waits for `flushMs`. */
  flush(): void
  /** Resolves when there is room for more posts. */
  ready(options?: WaitOptions): Promise<void>
  /** Begins nothing new, waits for what is under way, and closes the circuit; with the signal it waits no longer. Idempotent. */
  close(options?: WaitOptions): Promise<void>
  /** Ends all exchanges and the circuit at once. */
  abort(reason?: unknown): void
}

/** One end of a stream: messages of one type go out, those of another come in, each side in order and with credit of its own. */
export interface MessageStream<Outgoing, Incoming> extends AsyncIterable<Incoming> {
  /** Fires when the stream is over in both directions, whichever way. */
  readonly signal: AbortSignal
  /** Resolves when it is over; never rejects. */
  readonly closed: Promise<void>
  /**
   * Sends one more message; never blocks. Returns whether all has left: when false, wait for `ready`. Throws `CIRCUIT_CLOSED` after
   * `end`, and when the stream has failed, and `BUFFER_FULL` past the hard limit.
   */
  send(message: Outgoing): boolean
  /** Resolves when all that was sent has left; rejects when the stream has failed. */
  ready(options?: WaitOptions): Promise<void>
  /** The next message, or undefined when the other side has ended. Rejects when the stream has failed. */
  read(options?: WaitOptions): Promise<Incoming | undefined>
  /** The callback door: every message from now on goes to `handler`. `read` may no longer be used. */
  receive(handler: (message: Incoming) => void): void
  /** Nothing more will be sent from here; the other direction stays usable. Idempotent. */
  end(): void
  /**
   * No more of it is wanted, nor of what still waits to leave: the other side's signal fires. Leaving a `for await` does it.
   * Idempotent.
   */
  close(): void
  /** Ends it with an error that the other side is told. */
  abort(error: unknown): void
}
