import { PlaitError } from '../base/error.ts'
import type { Circuit, Fragment } from '../circuit/circuit-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Peer, PlaitNode } from '../node/node-api.ts'
import { parseUrl } from '../node/url.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { malformed } from '../wire/reader.ts'
import { ContentSender, type SenderTools } from './content-sender.ts'
import { Directory } from './disk/directory.ts'
import { equalBytes, proveSecret } from './disk/hash.ts'
import { scanTree } from './disk/scan.ts'
import type { SkippedEntry } from './entry.ts'
import { ListingPage } from './listing.ts'
import { Pace } from './pace.ts'
import { closeCodes, driveService, driveVersion, ops } from './protocol.ts'
import { readWants } from './want.ts'

/** What a sharing side has to tell. */
export type ShareEvent =
  | { readonly kind: 'listed'; readonly nodeId: NodeId; readonly entries: number; readonly skipped: number }
  | { readonly kind: 'refused'; readonly nodeId: NodeId }
  | { readonly kind: 'skipped'; readonly entry: SkippedEntry }
  | { readonly kind: 'failed'; readonly nodeId: NodeId; readonly error: PlaitError }

export interface ServeOptions {
  readonly node: PlaitNode
  readonly runtime: Pick<Runtime, 'clock' | 'timers'>
  readonly driveId: string
  readonly secret: Uint8Array
  /** The folder to share. */
  readonly folder: string
  /** Called as things happen; must not throw. */
  readonly onEvent?: (event: ShareEvent) => void
}

/** Serves one folder, for reading, to whoever proves its secret. */
export class DriveServer implements AsyncDisposable {
  readonly #options: ServeOptions
  readonly #tools: SenderTools
  readonly #peer: Peer

  private constructor(options: ServeOptions) {
    this.#options = options
    this.#tools = { pace: new Pace(options.runtime), clock: options.runtime.clock, timers: options.runtime.timers }
    this.#peer = options.node.peer(driveService, { id: options.driveId, open: 'anyone' })
  }

  static start(options: ServeOptions): DriveServer {
    const server = new DriveServer(options)
    void server.#run()
    return server
  }

  /** Takes no new circuits and closes those that are open, in order. Idempotent. */
  async close(): Promise<void> {
    await this.#peer.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    for await (const circuit of this.#peer.incoming) void this.serve(circuit)
  }

  /** Serves one circuit to its end; never rejects. */
  async serve(circuit: Circuit): Promise<void> {
    let clientId: NodeId | undefined
    try {
      clientId = parseUrl(circuit.remote).nodeId
      const first = await circuit.read()
      if (first !== undefined) await this.#answer(circuit, first, clientId)
      await circuit.close({ code: closeCodes.done })
    } catch (error) {
      const failure = PlaitError.from(error, 'FILE_FAILED')
      if (clientId !== undefined && isOurs(failure))
        this.#options.onEvent?.({ kind: 'failed', nodeId: clientId, error: failure })
      await circuit.close({ code: failure.code === 'PROTOCOL' ? closeCodes.malformed : closeCodes.failed })
    }
  }

  async #answer(circuit: Circuit, first: Fragment, clientId: NodeId): Promise<void> {
    const { driveId, secret, node, onEvent } = this.#options
    if (first.part !== driveVersion)
      return circuit.close({ code: closeCodes.malformed, message: `this is version ${driveVersion} of the drive` })
    if (!equalBytes(first.payload, proveSecret(secret, { driveId, clientId, serverId: node.id }))) {
      onEvent?.({ kind: 'refused', nodeId: clientId })
      return circuit.close({ code: closeCodes.forbidden, message: 'wrong secret' })
    }
    if (first.op !== ops.list && first.op !== ops.fetch)
      return circuit.close({ code: closeCodes.malformed, message: 'unknown operation' })
    const folder = Directory.root(this.#options.folder)
    try {
      if (first.op === ops.list) await this.#list(circuit, folder, clientId)
      else await this.#sendContents(circuit, folder)
    } finally {
      folder.close()
    }
  }

  /** The first page leaves as soon as it is full; the scan is never further ahead than the circuit's buffer. */
  async #list(circuit: Circuit, folder: Directory, nodeId: NodeId): Promise<void> {
    const { onEvent } = this.#options
    let page = new ListingPage()
    let entries = 0
    let skipped = 0
    for (const record of scanTree(folder)) {
      const pause = this.#tools.pace.pause()
      if (pause !== undefined) await pause
      entries += 1
      if (record.kind === 'skipped') {
        skipped += 1
        onEvent?.({ kind: 'skipped', entry: record })
      }
      if (page.add(record)) continue
      if (!circuit.send({ op: ops.page, payload: page.take() })) await circuit.ready()
      page = new ListingPage()
      page.add(record)
    }
    circuit.send({ op: ops.page, payload: page.take() })
    circuit.send({ op: ops.listed, part: entries })
    onEvent?.({ kind: 'listed', nodeId, entries, skipped })
  }

  async #sendContents(circuit: Circuit, folder: Directory): Promise<void> {
    const sender = new ContentSender(circuit, folder, this.#tools)
    void takeRequests(circuit, sender)
    await sender.run()
  }
}

/** Hands the receiver's fragments to the sender, until they end one way or the other; never rejects. */
async function takeRequests(circuit: Circuit, sender: ContentSender): Promise<void> {
  try {
    for (let fragment = await circuit.read(); fragment !== undefined; fragment = await circuit.read()) {
      if (fragment.op === ops.want) sender.ask(readWants(fragment.payload))
      else if (fragment.op === ops.more) sender.returned(fragment.part)
      else throw malformed(`operation ${fragment.op} where a want belongs`)
    }
    sender.end()
  } catch (error) {
    sender.end(error)
  }
}

/** Failures of files and of the protocol; that a receiver went away is nothing to report. */
function isOurs(error: PlaitError): boolean {
  return error.code === 'FILE_FAILED' || error.code === 'PROTOCOL'
}
