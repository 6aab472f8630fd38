import { createNode, messenger, type Circuit, type Messenger, type MessengerOptions } from 'plait'
import { Crossings, sharedNow } from './crossing.ts'
import { theirPart } from './mix.ts'
import { hashOf } from './sliced.ts'
import { AllBlobs, Blob, Cross, Echo, Late, Mix, Never, Note, Print, Rows, Tell, Trickle } from './types.ts'

// The far end of the scenarios: serves every message of types.ts to whoever opens a circuit, and asks back when told to.
//
//   far.ts    prints `listening ADDRESS`
//
// The service `messages` has the default options, `packing` reads what is compressed, `default` takes also what nobody handles.

const node = await createNode({ listen: ['tcp://127.0.0.1:0'], resumeMs: 2_000 })
const services: Readonly<Record<string, MessengerOptions>> = {
  messages: {},
  packing: { accept: ['gzip', 'brotli', 'zstd'] },
  default: {},
}

let allNotes = 0
let allBlobs = 0

function serve(circuit: Circuit, service: string): void {
  const messages = messenger(circuit, services[service])
  const crossings = new Crossings('far')
  const seen = {
    notes: 0,
    inOrder: true,
    signals: 0,
    rowsSent: 0,
    lastNoteAt: 0,
    blobs: [] as string[],
    unknown: [] as string[],
  }
  if (service === 'default')
    messages.handleDefault(({ id, kind, payload }) => {
      seen.unknown.push(`${kind} ${id}`)
      return payload
    })
  serveRequests(messages, seen)
  serveStreams(messages, seen)
  serveCrossing(messages, crossings)
  messages.handle(Tell, async (what) => {
    if (what.startsWith('ask ')) await askBack(messages, Number(what.slice(4)))
    const { rss: memoryBytes } = process.memoryUsage()
    return { ...seen, allNotes, live: messages.live - 1, crossed: crossings.crossed, memoryBytes }
  })
  messages.handle(Mix, async () => {
    await theirPart(messages)
    return 'done'
  })
  messages.handle(Print, (text) => {
    console.log(`${text} ${JSON.stringify(node.stats().sections['messages'])}`)
    return text
  })
}

interface Seen {
  notes: number
  inOrder: boolean
  signals: number
  rowsSent: number
  lastNoteAt: number
  readonly blobs: string[]
}

function serveRequests(messages: Messenger, seen: Seen): void {
  messages.handle(Echo, (message) => message)
  messages.handle(Late, async (afterMs, { signal }) => {
    signal.addEventListener('abort', () => (seen.signals += 1), { once: true })
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    return afterMs
  })
  messages.handle(Never, () => new Promise<string>(() => {}))
  messages.handle(Note, (number) => {
    if (number < 0) throw new Error('as the mix wants it')
    seen.inOrder &&= number === seen.notes
    seen.notes += 1
    allNotes += 1
    seen.lastNoteAt = sharedNow()
    return number
  })
  messages.handle(AllBlobs, () => allBlobs)
  messages.handle(Blob, async (blob) => {
    await keep(blob, seen)
    return blob
  })
}

async function keep(blob: Uint8Array, seen: Seen): Promise<void> {
  seen.blobs.push(await hashOf(blob))
  allBlobs += 1
}

function serveStreams(messages: Messenger, seen: Seen): void {
  messages.handleStream(Never, async (_message, { signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  })
  messages.handleStream(Rows, async function* (count, { signal }) {
    signal.addEventListener('abort', () => (seen.signals += 1), { once: true })
    for (let row = 0; row < count; row += 1) {
      seen.rowsSent += 1
      yield row
    }
  })
  messages.handleStream(Blob, async function* (first, _context, stream) {
    await keep(first, seen)
    yield first
    for await (const blob of stream) {
      await keep(blob, seen)
      yield blob
    }
  })
  messages.handleStream(Trickle, (everyMs, _context, stream) => {
    const timer = setInterval(() => stream.send(everyMs), everyMs)
    void stream.closed.then(() => clearInterval(timer))
  })
}

function serveCrossing(messages: Messenger, crossings: Crossings): void {
  let lastAt = 0
  messages.handleStream(Cross, (said, _context, stream) => {
    const { closeAt } = said
    crossings.add(said, stream)
    if (closeAt === lastAt) return
    lastAt = closeAt
    setTimeout(() => crossings.closeAt(closeAt), Math.max(0, closeAt - sharedNow() - 3))
  })
}

/** As many echoes as the near end asks for at the same time. */
async function askBack(messages: Messenger, count: number): Promise<void> {
  const asked = Array.from({ length: count }, async (_, index) => {
    const message = Uint8Array.of(index, index >> 8, index >> 16, 7)
    const answer = await messages.request(Echo, message)
    if (Buffer.compare(answer, message) !== 0) throw new Error(`answer ${index} is another one's`)
  })
  await Promise.all(asked)
}

for (const service of Object.keys(services))
  node.register(service, { open: 'anyone', start: 'anyone' }, async (peer) => {
    for await (const circuit of peer.incoming) serve(circuit, service)
  })
console.log(`listening ${node.addresses[0]}`)
