/** The two nodes of a recording. */
export type Side = 'a' | 'b'

export const sides: readonly Side[] = ['a', 'b']

export function other(side: Side): Side {
  return side === 'a' ? 'b' : 'a'
}

/** What was said on one link, each direction in one piece; the end of it may be cut off. */
export interface RecordedLink {
  readonly dialler: Side
  readonly binding: Uint8Array
  readonly said: Readonly<Record<Side, Uint8Array>>
}

/** All links between two nodes, in the order in which they were made. */
export interface Recording {
  readonly nodeIds: Readonly<Record<Side, string>>
  readonly links: readonly RecordedLink[]
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}

export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
