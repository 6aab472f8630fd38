// The parts that libp2p is put together from: each a function whose result is only passed on.
export declare function tcp(): unknown
export declare function tls(): unknown
export declare function yamux(options: { maxInboundStreams: number; maxOutboundStreams: number }): unknown
