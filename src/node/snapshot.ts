import { ChannelCircuit } from '../circuit/circuit.ts'
import type { Connection } from './connection.ts'
import type { Greeting } from './greeting.ts'
import type { CircuitSnapshot, SessionSnapshot } from './node-api.ts'

/** A session as it is now, with its circuits. */
export function sessionSnapshot(connection: Connection): SessionSnapshot {
  const { session } = connection
  const circuits: CircuitSnapshot[] = []
  for (const channel of session.channelsByNumber.values()) {
    if (channel.handler instanceof ChannelCircuit) circuits.push(circuitSnapshot(channel.handler))
  }
  return {
    remoteId: connection.remoteId,
    remoteAddress: connection.remoteAddress,
    state: connection.closing && session.state !== 'closed' ? 'closing' : session.state,
    dialled: connection.dialled,
    chair: connection.chair,
    roundTripMs: session.smoothedRoundTripMs,
    accountBytes: session.account.usedBytes,
    unacknowledgedBytes: session.unacknowledgedBytes,
    framesSent: session.framesSent,
    framesAcknowledged: session.framesAcknowledged,
    framesReceived: session.framesReceived,
    bytesSent: session.counters.bytesSent,
    bytesReceived: session.counters.bytesReceived,
    resumes: session.resumes,
    features: connection.hello.features,
    circuits,
  }
}

/** A link that has not led to a session yet. */
export function greetingSnapshot(greeting: Greeting): SessionSnapshot {
  const { remoteId, remoteAddress, dialled, chair, hello, handshake } = greeting
  return {
    remoteId,
    remoteAddress,
    state: 'connecting',
    dialled,
    chair,
    roundTripMs: undefined,
    accountBytes: 0,
    unacknowledgedBytes: 0,
    framesSent: 0,
    framesAcknowledged: 0,
    framesReceived: 0,
    bytesSent: handshake.bytesSent,
    bytesReceived: handshake.bytesReceived,
    resumes: 0,
    features: hello?.features ?? [],
    circuits: [],
  }
}

function circuitSnapshot(circuit: ChannelCircuit): CircuitSnapshot {
  const { channel, inbound } = circuit
  return {
    id: circuit.id,
    state: circuit.state,
    local: circuit.local,
    remote: circuit.remote,
    bufferedBytes: circuit.bufferedBytes,
    unreadBytes: circuit.unreadBytes,
    unreadFragments: inbound.unreadFragments,
    windowBytes: channel.window.windowBytes,
    creditBytes: channel.outbox.creditBytes - channel.outbox.sentBytes,
    fragmentsSent: circuit.fragmentsSent,
    fragmentsReceived: inbound.fragmentsReceived,
    errorsUnread: inbound.errorsUnread,
    errorsDropped: inbound.errorsDropped,
  }
}
