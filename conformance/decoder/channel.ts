import { Malformed } from './byte-reader.ts'
import type { Frame } from './frames.ts'
import { decodeAccept, decodeClose, decodeError, decodeFirst, decodeFragment, decodeOpen } from './messages.ts'
import type { Accept, Close, Fragment, Open, WireError } from './messages.ts'
import { other } from './recording.ts'
import type { Side } from './recording.ts'

/** What one side has said on a channel. */
export class Half {
  readonly fragments: Fragment[] = []
  /** How many of them came in pieces. */
  largeFragments = 0
  isEnded = false
  close: Close | undefined
  refusal: WireError | undefined
  reset: WireError | undefined
  /** What DATA, FIRST and MORE have cost. */
  spentBytes = 0
  /** The largest grant that this side has given to the other. */
  grantedBytes = 0
  #pieces: Uint8Array[] | undefined
  #missingBytes = 0

  take(frame: Frame): void {
    if (this.close !== undefined && frame.name !== 'RESET') throw new Malformed(`${frame.name} after CLOSE`)
    if (this.refusal !== undefined || this.reset !== undefined)
      throw new Malformed(`${frame.name} on a channel that is gone`)
    switch (frame.name) {
      case 'DATA':
        this.#outside(frame)
        this.#spend(frame)
        this.fragments.push(decodeFragment(frame.body))
        return
      case 'FIRST':
        this.#outside(frame)
        this.#spend(frame)
        this.#begin(frame.body)
        return
      case 'MORE':
        this.#spend(frame)
        if (this.#pieces === undefined || frame.body.length === 0) throw new Malformed('a MORE that was not expected')
        this.#piece(this.#pieces, frame.body)
        return
      case 'END':
        this.#outside(frame)
        if (frame.body.length > 0 || this.isEnded) throw new Malformed('an END that was not expected')
        this.isEnded = true
        return
      case 'CLOSE':
        this.#outside(frame)
        this.close = decodeClose(frame.body)
        return
      case 'REFUSE':
        this.refusal = decodeError(frame.body)
        return
      case 'RESET':
        this.reset = decodeError(frame.body)
        return
      default:
        throw new Malformed(`${frame.name} has no place on a channel`)
    }
  }

  #begin(body: Uint8Array): void {
    const { length, bytes } = decodeFirst(body)
    if (length === 0) throw new Malformed('a fragment of no bytes')
    this.#missingBytes = length
    this.#pieces = []
    this.largeFragments += 1
    this.#piece(this.#pieces, bytes)
  }

  #piece(pieces: Uint8Array[], bytes: Uint8Array): void {
    pieces.push(bytes)
    this.#missingBytes -= bytes.length
    if (this.#missingBytes < 0 || pieces.length > 4_096) throw new Malformed('more pieces than were announced')
    if (this.#missingBytes > 0) return
    this.fragments.push(decodeFragment(joined(pieces)))
    this.#pieces = undefined
  }

  #spend(frame: Frame): void {
    if (this.isEnded) throw new Malformed(`${frame.name} after END`)
    this.spentBytes += frame.length
  }

  #outside(frame: Frame): void {
    if (this.#pieces !== undefined) throw new Malformed(`${frame.name} within a large fragment`)
  }
}

/** A channel of a session, as both sides have used it. */
export class Channel {
  readonly number: number
  readonly opener: Side
  request: Open | undefined
  acceptance: Accept | undefined
  readonly halves: Readonly<Record<Side, Half>> = { a: new Half(), b: new Half() }

  constructor(number: number, opener: Side) {
    this.number = number
    this.opener = opener
  }

  take(side: Side, frame: Frame): void {
    const half = this.halves[side]
    const isOpener = side === this.opener
    if (frame.name === 'OPEN') {
      if (!isOpener || this.request !== undefined) throw new Malformed(`an OPEN of channel ${this.number}`)
      this.request = decodeOpen(frame.body)
      half.grantedBytes = this.request.grant
      return
    }
    if (isOpener && this.request === undefined) throw new Malformed(`${frame.name} before OPEN`)
    if (frame.name === 'ACCEPT') {
      if (isOpener || this.acceptance !== undefined) throw new Malformed(`an ACCEPT of channel ${this.number}`)
      this.acceptance = decodeAccept(frame.body)
      half.grantedBytes = Math.max(half.grantedBytes, this.acceptance.grant)
      return
    }
    const isFinal = ['REFUSE', 'RESET', 'CLOSE'].includes(frame.name)
    if (!isOpener && this.acceptance === undefined && !isFinal) throw new Malformed(`${frame.name} before ACCEPT`)
    if (frame.name === 'REFUSE' && (isOpener || this.acceptance !== undefined)) throw new Malformed('a late REFUSE')
    half.take(frame)
  }

  /** Nobody has sent more than was granted; `windowBytes` is what HELLO of the acceptor has said. */
  check(windowBytes: number): void {
    if (this.request === undefined) throw new Malformed(`channel ${this.number} was never opened`)
    const acceptor = other(this.opener)
    const granted = { [this.opener]: Math.max(windowBytes, this.halves[acceptor].grantedBytes) }
    granted[acceptor] = this.halves[this.opener].grantedBytes
    for (const [side, bytes] of Object.entries(granted))
      if (this.halves[side as Side].spentBytes > bytes)
        throw new Malformed(`more than the ${bytes} bytes of its credit`)
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
