/** One message: its parts. */
type Parts = readonly Uint8Array[]

interface CurveKeys {
  curvePublicKey?: string
  curveSecretKey?: string
}

export declare class Router implements AsyncIterable<Parts> {
  readonly lastEndpoint: string | null
  constructor(options: CurveKeys & { curveServer: boolean; mandatory: boolean })
  bind(address: string): Promise<void>
  send(parts: Parts): Promise<void>
  [Symbol.asyncIterator](): AsyncIterator<Parts>
}

export declare class Dealer implements AsyncIterable<Parts> {
  constructor(options: CurveKeys & { curveServerKey: string })
  connect(address: string): void
  send(parts: Parts): Promise<void>
  [Symbol.asyncIterator](): AsyncIterator<Parts>
}

export declare class XPublisher implements AsyncIterable<Parts> {
  verbosity: null | 'allSubs' | 'allSubsUnsubs'
  readonly lastEndpoint: string | null
  constructor(options: CurveKeys & { curveServer: boolean; noDrop: boolean; sendHighWaterMark: number })
  bind(address: string): Promise<void>
  send(parts: Parts): Promise<void>
  [Symbol.asyncIterator](): AsyncIterator<Parts>
}

export declare class Subscriber implements AsyncIterable<Parts> {
  constructor(options: CurveKeys & { curveServerKey: string })
  connect(address: string): void
  subscribe(...topics: readonly string[]): void
  [Symbol.asyncIterator](): AsyncIterator<Parts>
}

export declare function curveKeyPair(): { publicKey: string; secretKey: string }

export declare const version: string
