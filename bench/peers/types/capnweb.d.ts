import type { WebSocket } from 'ws'

export declare class RpcTarget {
  readonly isTarget?: never
}

/** The far end of a target: each method is a call, and can be called before the promise of the stub has settled. */
export type Stub<Target> = {
  readonly [Name in keyof Target]: Target[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => StubPromise<Awaited<Result>>
    : never
} & { dup(): Stub<Target> }

export type StubPromise<Result> = Result extends object ? Promise<Stub<Result>> & Stub<Result> : Promise<Result>

export declare function newWebSocketRpcSession<Main>(socket: WebSocket, main?: RpcTarget): Stub<Main>
