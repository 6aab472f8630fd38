import type { frameTypes } from '../../src/wire/frame.ts'

/** What stands in the channel's number and in the body of each type of frame. */
export const frameBodies: Readonly<
  Record<keyof typeof frameTypes, { readonly channel: string; readonly body: string }>
> = {
  HELLO: { channel: '0', body: 'who speaks, and what it can do' },
  READY: { channel: '0', body: 'a new session shall begin on this link' },
  RESUME: { channel: '0', body: 'that session shall go on over this link' },
  ACK: { channel: '0', body: 'u64: how many numbered frames of this session have been taken' },
  PING: { channel: '0', body: "8 bytes of the sender's choice" },
  PONG: { channel: '0', body: 'the 8 bytes of the PING that it answers' },
  CREDIT: { channel: 'its own', body: 'u64: how many bytes of frames may be sent on the channel in all' },
  GOAWAY: { channel: '0', body: 'error: why the handshake or the session ends' },
  OPEN: { channel: 'its own', body: 'opens the channel' },
  ACCEPT: { channel: 'its own', body: 'the channel is accepted' },
  REFUSE: { channel: 'its own', body: 'error: why the channel is not accepted' },
  RESET: { channel: 'its own', body: 'error: why the channel ends at once' },
  END: { channel: 'its own', body: 'empty: nothing more will be sent on the channel but CLOSE' },
  CLOSE: { channel: 'its own', body: 'the sender is done with the channel in both directions' },
  DATA: { channel: 'its own', body: 'one whole fragment' },
  FIRST: { channel: 'its own', body: 'LEB128: the length of a whole fragment; then its first bytes, possibly none' },
  MORE: { channel: 'its own', body: 'the next bytes of that fragment, at least one' },
}
