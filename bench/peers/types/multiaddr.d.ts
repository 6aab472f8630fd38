export interface Multiaddr {
  toString(): string
}

export declare function multiaddr(text: string): Multiaddr
