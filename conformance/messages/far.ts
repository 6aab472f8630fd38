import { createHash } from 'node:crypto'
import { createNode, messenger, type Circuit, type Messenger } from 'plait'
import { Blob, Echo, Late, Never, Note, Rows, Tell } from './types.ts'

// The far end of the scenarios: serves every message of types.ts to whoever opens a circuit, and asks back when told to.
//
//   far.ts    prints `listening ADDRESS`

const node = await createNode({ listen: ['tcp://127.0.0.1:0'], resumeMs: 2_000 })

let allNotes = 0

function serve(circuit: Circuit): void {
  const messages = messenger(circuit)
  const seen = { notes: 0, inOrder: true, signals: 0, rowsSent: 0, lastNoteAt: 0, blobs: [] as string[] }
  messages.handle(Echo, (message) => message)
  messages.handle(Late, async (afterMs, { signal }) => {
    signal.addEventListener('abort', () => (seen.signals += 1), { once: true })
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    return afterMs
  })
  messages.handle(Never, () => new Promise<string>(() => {}))
  messages.handle(Note, (number) => {
    seen.inOrder &&= number === seen.notes
    seen.notes += 1
    allNotes += 1
    seen.lastNoteAt = performance.timeOrigin + performance.now()
    return number
  })
  messages.handle(Blob, (blob) => {
    seen.blobs.push(createHash('sha256').update(blob).digest('hex'))
    return blob
  })
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
  messages.handle(Tell, async (what) => {
    if (what.startsWith('ask ')) await askBack(messages, Number(what.slice(4)))
    return { ...seen, allNotes, live: messages.live - 1 }
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

node.register('messages', { open: 'anyone', start: 'anyone' }, async (peer) => {
  for await (const circuit of peer.incoming) serve(circuit)
})
console.log(`listening ${node.addresses[0]}`)
