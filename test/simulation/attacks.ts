import type { ErrorCode } from '../../src/base/error.ts'
import { varintLength, writeVarint } from '../../src/base/varint.ts'
import { encodeResume } from '../../src/session/resumption.ts'
import type { SeededRandom } from '../../src/testing/index.ts'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import { frameTypes } from '../../src/wire/frame.ts'
import type { Prey } from './prey.ts'
import { u64, type RawCircuit, type RawWire } from './raw-wire.ts'

/** What an attack works with: a link to its victim, and the means to say what the victim owes. */
export interface Scene {
  readonly wire: RawWire
  readonly random: SeededRandom
  /** What the victim's account for a session holds. */
  readonly accountBytes: number
  readonly epoch: Uint8Array
  readonly sleep: (ms: number) => Promise<void>
  /** Another link to the same node. */
  readonly again: () => Promise<RawWire | undefined>
  /** The id of a session of two other nodes, if there is one. */
  readonly stolenSessionId: () => Uint8Array
  /** A violation unless it comes true in time, or something has happened to the victim. */
  readonly expect: (what: string, isDone: () => boolean, limitMs: number, wire?: RawWire) => Promise<void>
}

export interface Attack {
  readonly share: number
  /** Says hello and ready like an honest node first. */
  readonly greets: boolean
  readonly run: (scene: Scene) => Promise<void>
}

const KiB = 1024

/** u64 with all bits set. */
const absurd = new Uint8Array(8).fill(0xff)

export const attacks: Readonly<Record<string, Attack>> = {
  stopsPieces: { share: 3, greets: true, run: stopsPieces },
  lingers: { share: 3, greets: true, run: lingers },
  hoards: { share: 4, greets: true, run: hoards },
  floods: { share: 3, greets: true, run: floods },
  storms: { share: 2, greets: true, run: storms },
  lies: { share: 5, greets: true, run: lies },
  overdraws: { share: 3, greets: true, run: overdraws },
  mutates: { share: 5, greets: true, run: mutates },
  vanishes: { share: 2, greets: true, run: vanishes },
  resumesAbsurdly: { share: 2, greets: true, run: resumesAbsurdly },
  resumes: { share: 3, greets: true, run: resumes },
  resumesStranger: { share: 2, greets: false, run: resumesStranger },
  halfGreets: { share: 2, greets: false, run: halfGreets },
  babbles: { share: 2, greets: false, run: babbles },
}

/** A large fragment begins, and its pieces stop. */
async function stopsPieces(scene: Scene): Promise<void> {
  const { wire, random } = scene
  const circuit = await accepted(scene, 'reader')
  if (circuit === undefined) return
  wire.send(circuit, frameTypes.FIRST, varint(random.integer(70_000, 300_000)))
  const pieces = random.integer(0, 4)
  for (let index = 0; index < pieces; index += 1)
    wire.send(circuit, frameTypes.MORE, new Uint8Array(random.integer(1, 3_000)))
  await expectReset(scene, circuit, 'REASSEMBLY_TIMEOUT', 40_000)
  await expectService(scene)
}

/** Takes a circuit whose other end sends much and closes, and gives it no credit. */
async function lingers(scene: Scene): Promise<void> {
  const circuit = await accepted(scene, 'pourer')
  if (circuit === undefined) return
  await expectReset(scene, circuit, 'CLOSE_TIMEOUT', 45_000)
  await expectService(scene)
}

/** Lets unread data pile up at the other end until its account is used up. */
async function hoards(scene: Scene): Promise<void> {
  const { wire, accountBytes } = scene
  const isReachable = accountBytes <= 1_024 * KiB
  const circuits: RawCircuit[] = []
  let hoardedBytes = 0
  const isReset = (): boolean => circuits.some(({ error }) => error !== undefined)
  while (hoardedBytes < (isReachable ? accountBytes + 8 * KiB : 512 * KiB) && circuits.length < 100 && !isReset()) {
    const circuit = await accepted(scene, 'idler')
    if (circuit === undefined) return
    circuits.push(circuit)
    while (wire.send(circuit, frameTypes.DATA, fragment(7_000))) hoardedBytes += 7_000
  }
  if (isReachable) await scene.expect('to be reset with BUDGET', () => circuits.some(isOverBudget), 20_000)
  await expectService(scene)
  if (circuits.some(({ error }) => error !== undefined && error.code !== 'BUDGET'))
    await scene.expect('no other reset than BUDGET', () => false, 0)
}

/** Says for ever what changes nothing. */
async function floods(scene: Scene): Promise<void> {
  const { wire, random } = scene
  const circuit = await accepted(scene, 'reader')
  if (circuit === undefined) return
  const { number } = circuit
  if (random.chance(0.2)) wire.send(circuit, frameTypes.FIRST, varint(80_000))
  const frame = random.pick([
    rawFrame(frameTypes.PING, 0, random.bytes(8)),
    rawFrame(frameTypes.ACK, 0, u64(0)),
    rawFrame(frameTypes.CREDIT, number, u64(circuit.grantedBytes)),
    rawFrame(frameTypes.PONG, 0, absurd),
  ])
  wire.say(...Array.from({ length: random.integer(150, 400) }, () => frame))
  await expectGoAway(scene, ['LIMIT'], 15_000)
}

/** Opens circuits and resets them before anybody could take them. */
async function storms(scene: Scene): Promise<void> {
  const { wire, random } = scene
  const isTooMuch = random.chance(0.2)
  const reset = Uint8Array.of(6, 1, 0, 0)
  const count = isTooMuch ? 4_100 : random.integer(1, 300)
  const frames: Uint8Array[] = []
  for (let index = 0; index < count; index += 1) {
    const { number } = wire.open('sitter', 0, false)
    frames.push(wire.openFrame(number, 'sitter', 0), rawFrame(frameTypes.RESET, number, reset))
  }
  wire.say(...frames)
  if (isTooMuch) await expectGoAway(scene, ['LIMIT'], 15_000)
  else await expectService(scene)
}

/** Claims one thing that cannot be. */
async function lies(scene: Scene): Promise<void> {
  const { wire, random } = scene
  const circuit = await accepted(scene, 'reader')
  if (circuit === undefined) return
  const { number } = circuit
  const never = number + 2 * random.integer(1, 1_000_000)
  const open = wire.openFrame(never, 'reader', 0)
  const [frame, ...codes] = random.pick<[Uint8Array, ...ErrorCode[]]>([
    [rawFrame(frameTypes.ACK, 0, u64(wire.framesReceived + 100_000)), 'PROTOCOL'],
    [rawFrame(frameTypes.ACK, 0, absurd), 'PROTOCOL'],
    [rawFrame(frameTypes.CREDIT, number, absurd), 'PROTOCOL'],
    [rawFrame(frameTypes.OPEN, never, absurd), 'PROTOCOL'],
    [rawFrame(frameTypes.OPEN, never + 1, open.subarray(8)), 'PROTOCOL'],
    [rawFrame(frameTypes.OPEN, number, open.subarray(8)), 'PROTOCOL'],
    [rawFrame(frameTypes.DATA, never, fragment(10)), 'PROTOCOL'],
    [rawFrame(frameTypes.CREDIT, never, u64(1)), 'PROTOCOL'],
    [rawFrame(frameTypes.RESET, never, absurd), 'PROTOCOL'],
    [rawFrame(frameTypes.READY, 0, wire.proof()), 'PROTOCOL'],
    [rawFrame(frameTypes.RESUME, 0, resumeBody(scene, wire, random.bytes(16), 0)), 'PROTOCOL'],
    [wire.hello(scene.epoch), 'PROTOCOL'],
    [rawFrame(random.pick([0, 9, 0x0f, 0x19, 0xff]), number, new Uint8Array(8)), 'PROTOCOL'],
    [Uint8Array.of(frameTypes.DATA, 1, 0, 1, number, 0, 0, 0), 'LIMIT'],
    [rawFrame(frameTypes.PING, 0, new Uint8Array(7)), 'PROTOCOL'],
  ])
  wire.say(frame)
  await expectGoAway(scene, codes, 15_000)
}

/** Does on a circuit what costs the circuit, and nothing else. */
async function overdraws(scene: Scene): Promise<void> {
  const { wire, random } = scene
  const circuit = await accepted(scene, 'idler')
  if (circuit === undefined) return
  const { number } = circuit
  const say = (type: number, body: Uint8Array): void => wire.say(rawFrame(type, number, body))
  const overdraw = (): void => {
    while (wire.send(circuit, frameTypes.DATA, fragment(8_000)));
    say(frameTypes.DATA, fragment(8_000))
  }
  const [code, misbehave] = random.pick<[ErrorCode, () => void]>([
    ['PROTOCOL', overdraw],
    ['PROTOCOL', overdraw],
    ['PROTOCOL', overdraw],
    ['PROTOCOL', () => say(frameTypes.ACCEPT, absurd)],
    ['PROTOCOL', () => say(frameTypes.MORE, fragment(5))],
    ['PROTOCOL', () => say(frameTypes.DATA, Uint8Array.of(0xff))],
    ['PROTOCOL', () => say(frameTypes.END, Uint8Array.of(1))],
    ['PROTOCOL', () => say(frameTypes.CLOSE, absurd)],
    ['LIMIT', () => say(frameTypes.FIRST, varint(Number.MAX_SAFE_INTEGER))],
  ])
  misbehave()
  await expectReset(scene, circuit, code, 15_000)
  await expectService(scene)
}

/** Speaks as an honest node does, with a few wrong bits. */
async function mutates(scene: Scene): Promise<void> {
  const { wire, random, sleep } = scene
  wire.isMeant = false
  const frames = random.integer(5, 60)
  for (let index = 0; index < frames && !wire.isOver; index += 1) {
    const live = [...wire.circuits.values()].filter(({ error, isClosed }) => error === undefined && !isClosed)
    const circuit =
      live.length < 3 ? wire.open(random.pick(['reader', 'idler', 'pourer', 'sitter'])) : random.pick(live)
    const frame = random.pick([
      () => wire.openFrame(circuit.number + 2, 'reader', 16 * KiB),
      () => rawFrame(frameTypes.DATA, circuit.number, fragment(random.integer(0, 2_000))),
      () => rawFrame(frameTypes.FIRST, circuit.number, varint(random.integer(1, 20_000))),
      () => rawFrame(frameTypes.MORE, circuit.number, random.bytes(random.integer(0, 3_000))),
      () => rawFrame(frameTypes.ACK, 0, u64(wire.framesReceived)),
      () => rawFrame(frameTypes.CREDIT, circuit.number, u64(random.integer(0, 100_000))),
      () => rawFrame(frameTypes.END, circuit.number),
      () => rawFrame(frameTypes.CLOSE, circuit.number, Uint8Array.of(3, 2, 111, 107)),
      () => rawFrame(frameTypes.RESET, circuit.number, Uint8Array.of(6, 1, 0, 0)),
      () => rawFrame(frameTypes.PING, 0, random.bytes(8)),
    ])()
    const flips = random.chance(0.5) ? 0 : random.integer(1, 3)
    for (let flip = 0; flip < flips; flip += 1) {
      const at = random.chance(0.2) ? random.integer(0, 7) : random.integer(0, frame.length - 1)
      frame[at] = (frame[at] as number) ^ (1 << random.integer(0, 7))
    }
    wire.say(frame)
    if (random.chance(0.2)) await sleep(random.logarithmic(1, 300))
  }
}

/** Is gone in the midst of everything, and comes back as if nothing had been, or as another run of its program. */
async function vanishes(scene: Scene): Promise<void> {
  const { wire, random, epoch, sleep } = scene
  for (const name of ['reader', 'idler', 'pourer'] as const) {
    const circuit = await accepted(scene, name)
    if (circuit === undefined) return
    wire.send(circuit, random.pick([frameTypes.DATA, frameTypes.MORE]), fragment(random.integer(0, 5_000)))
  }
  if (random.chance(0.7)) wire.link.abort()
  await sleep(random.logarithmic(1, 3_000))
  const other = await scene.again()
  if (other === undefined) return
  other.say(other.hello(random.chance(0.5) ? epoch : random.bytes(16)), rawFrame(frameTypes.READY, 0, other.proof()))
  await other.until(() => other.isReady, 10_000)
  await sleep(random.logarithmic(1, 1_000))
  other.link.abort()
}

/** Comes back with claims that cannot be. */
async function resumesAbsurdly(scene: Scene): Promise<void> {
  const { wire, random } = scene
  if ((await accepted(scene, 'reader')) === undefined) return
  const sessionId = wire.link.binding.slice(0, 16)
  wire.link.abort()
  const other = await scene.again()
  if (other === undefined) return
  other.say(other.hello(scene.epoch))
  // The chair answers; the other end begins.
  await other.until(() => other.remoteEpoch !== undefined, 10_000)
  if (other.isChair) await other.until(() => other.isResuming || other.isReady, 10_000)
  const claim = random.pick([wire.framesReceived + 1_000_000, Number.MAX_SAFE_INTEGER])
  other.say(rawFrame(frameTypes.RESUME, 0, resumeBody(scene, other, sessionId, claim)))
  await scene.expect('to be sent away', () => other.isOver, 15_000, other)
}

/**
 * Goes on with its session over a second link, as an honest node may. As the chair it answers late, when more has come over the
 * first link than the other end has said: that is sent again, and must not count twice.
 */
async function resumes(scene: Scene): Promise<void> {
  const { wire, random, sleep } = scene
  const circuit = await accepted(scene, 'reader')
  if (circuit === undefined) return
  const other = await scene.again()
  if (other === undefined) return
  other.say(other.hello(scene.epoch))
  await other.until(() => other.remoteEpoch !== undefined, 10_000)
  const late: Uint8Array[] = []
  if (other.isChair) {
    await other.until(() => other.isResuming, 10_000)
    for (let count = random.integer(1, 3); count > 0; count -= 1)
      late.push(rawFrame(frameTypes.DATA, circuit.number, fragment(random.integer(0, 500))))
    wire.say(...late)
    await sleep(random.logarithmic(50, 1_000))
  }
  other.goOn(wire)
  const claim = resumeBody(scene, other, wire.link.binding.slice(0, 16), other.framesReceived)
  other.say(rawFrame(frameTypes.RESUME, 0, claim))
  await other.until(() => other.isResuming, 10_000)
  if (other.isOver || !other.isResuming) return
  other.say(...late, rawFrame(frameTypes.DATA, circuit.number, fragment(10)))
  const isWhole = (): boolean => circuit.fragments === late.length + 1
  await scene.expect('the echo of everything', isWhole, 20_000, other)
  await sleep(100)
  await scene.expect('the echo of everything once', isWhole, 0, other)
  other.link.abort()
}

/** Wants to go on with a session of others. */
async function resumesStranger(scene: Scene): Promise<void> {
  const { wire, random, epoch } = scene
  wire.say(wire.hello(epoch))
  await wire.until(() => wire.remoteEpoch !== undefined, 10_000)
  const sessionId = random.chance(0.5) ? scene.stolenSessionId() : random.bytes(16)
  wire.say(rawFrame(frameTypes.RESUME, 0, resumeBody(scene, wire, sessionId, random.integer(0, 1_000))))
  await expectGoAway(scene, ['PROTOCOL', 'HANDSHAKE_TIMEOUT'], 15_000)
}

/** Begins a handshake, and does not end it, or ends it wrongly. */
async function halfGreets(scene: Scene): Promise<void> {
  const { wire, random, epoch } = scene
  const hello = wire.hello(epoch)
  const [code, frames] = random.pick<[ErrorCode, Uint8Array[]]>([
    ['HANDSHAKE_TIMEOUT', []],
    ['HANDSHAKE_TIMEOUT', [hello]],
    ['HANDSHAKE_TIMEOUT', [hello.subarray(0, random.integer(1, hello.length - 1))]],
    ['WRONG_KEY', [hello, rawFrame(frameTypes.READY, 0, wire.proof(new Uint8Array(32)))]],
    ['PROTOCOL', [hello, hello]],
    ['PROTOCOL', [rawFrame(frameTypes.READY, 0, wire.proof())]],
    ['PROTOCOL', [hello, wire.openFrame(1, 'reader', 0)]],
    ['LIMIT', [hello, rawFrame(frameTypes.READY, 0, new Uint8Array(5_000))]],
    ['VERSION_MISMATCH', [otherVersion(hello)]],
  ])
  wire.say(...frames)
  await expectGoAway(scene, [code], 15_000)
}

/** Speaks another language. */
async function babbles(scene: Scene): Promise<void> {
  const { wire, random, epoch, sleep } = scene
  wire.isMeant = false
  if (random.chance(0.5)) wire.say(wire.hello(epoch), rawFrame(frameTypes.READY, 0, wire.proof()))
  for (let index = 0; index < 60 && !wire.isOver; index += 1) {
    wire.say(random.bytes(random.integer(1, 5_000)))
    await sleep(random.logarithmic(1, 200))
  }
  await scene.expect('to be sent away', () => wire.isOver, 10_000)
}

/** A circuit that the victim has taken; undefined when the link is over. */
async function accepted({ wire }: Scene, service: Prey): Promise<RawCircuit | undefined> {
  const circuit = wire.open(service)
  await wire.until(() => circuit.isAccepted || circuit.error !== undefined, 20_000)
  return circuit.isAccepted ? circuit : undefined
}

/** The session is still of use: what was wrong has cost nothing else. */
async function expectService(scene: Scene): Promise<void> {
  const circuit = scene.wire.open('reader')
  scene.wire.send(circuit, frameTypes.DATA, fragment(20))
  await scene.expect('an answer on another circuit', () => circuit.fragments > 0, 20_000)
}

async function expectReset(scene: Scene, circuit: RawCircuit, code: ErrorCode, limitMs: number): Promise<void> {
  await scene.expect(`a reset with ${code}`, () => circuit.error?.code === code, limitMs)
}

async function expectGoAway(scene: Scene, codes: readonly ErrorCode[], limitMs: number): Promise<void> {
  const { wire } = scene
  const isSent = (): boolean => wire.goAway !== undefined && codes.includes(wire.goAway.code)
  await scene.expect(`to be sent away with ${codes.join(' or ')}`, isSent, limitMs)
}

function isOverBudget({ error }: RawCircuit): boolean {
  return error?.code === 'BUDGET'
}

function resumeBody({ epoch }: Scene, wire: RawWire, sessionId: Uint8Array, receivedFrames: number): Uint8Array {
  const remoteEpoch = wire.remoteEpoch ?? new Uint8Array(16)
  return encodeResume({ proof: wire.proof(), sessionId, epoch, remoteEpoch, receivedFrames })
}

/** The encoding of a fragment that is nothing but a payload. */
function fragment(payloadBytes: number): Uint8Array {
  return new Uint8Array(1 + payloadBytes)
}

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value))
  writeVarint(bytes, 0, value)
  return bytes
}

/** A hello of the versions 2 to 2: they stand behind the header, the magic, a type and a length. */
function otherVersion(hello: Uint8Array): Uint8Array {
  const changed = hello.slice()
  changed.set([2, 0, 2, 0], 8 + 8 + 2)
  return changed
}
