export interface GossipSub {
  subscribe(topic: string): void
  publish(topic: string, data: Uint8Array): Promise<unknown>
  addEventListener(event: 'message', listener: (event: { detail: { topic: string; data: Uint8Array } }) => void): void
}

export declare function gossipsub(options: {
  scoreParams: { IPColocationFactorWeight: number }
}): (components: object) => GossipSub
