/** Gives a socket its frames. */
export interface FrameWriter {
  /** Takes the message between `start` and `end`: copied when short, else kept. False when the sender should wait for `ready`. */
  send(stream: number, bytes: Uint8Array, start: number, end: number): boolean
  ready(): Promise<void>
}
