import { bytesEqual } from '../base/bytes.ts'
import type { Feed } from '../feed/feed-api.ts'
import type { Layout } from './plan/layout.ts'

/** Extensions of the feed on which contents are exchanged. The payload: the print of a drive, the same in question and answer. */
export const compareQuestion = 'drive.compare'
export const wholeAnswer = 'drive.whole'
const printBytes = 8

export interface WholeCopiesOptions {
  readonly digest: (bytes: Uint8Array) => Uint8Array
  /** What the drive is now. */
  readonly layout: () => Layout
  /** Whether the folder has everything of it. */
  readonly isWhole: () => boolean
}

/** Asks the other members whether they have everything of the drive, and tells them when this one has. */
export class WholeCopies {
  readonly #feed: Feed
  readonly #options: WholeCopiesOptions
  /** What others want to hear of, each the last that it has asked. */
  readonly #askedByNode = new Map<string, Uint8Array>()
  #made: { readonly layout: Layout; readonly print: Uint8Array } | undefined
  #onWhole: ((nodeId: string, print: Uint8Array) => void) | undefined

  constructor(feed: Feed, options: WholeCopiesOptions) {
    this.#feed = feed
    this.#options = options
    feed.addEventListener('extension', ({ detail: { nodeId, name, payload } }) => {
      if (payload.length !== printBytes) return
      if (name === wholeAnswer) this.#onWhole?.(nodeId, payload)
      if (name !== compareQuestion) return
      this.#askedByNode.set(nodeId, payload.slice())
      this.tell()
    })
    feed.addEventListener('peer', () => this.#forgetOthers())
  }

  /** Something was done: who has asked may hear of it. */
  tell(): void {
    if (this.#askedByNode.size === 0 || !this.#options.isWhole()) return
    const print = this.#print()
    for (const [nodeId, asked] of this.#askedByNode) {
      if (!bytesEqual(asked, print)) continue
      this.#askedByNode.delete(nodeId)
      this.#feed.extend(wholeAnswer, print)
    }
  }

  /** Resolves to the node of a member that has everything that this one knows of. `until` waits for something; one call at a time. */
  async ask(until: (isDone: () => boolean) => Promise<void>): Promise<string> {
    let whole: string | undefined
    let asked: Uint8Array | undefined
    const onPeer = (): void => void (asked = undefined)
    this.#feed.addEventListener('peer', onPeer)
    this.#onWhole = (nodeId, print) => {
      if (bytesEqual(print, this.#print())) whole ??= nodeId
    }
    try {
      await until(() => {
        const print = this.#print()
        if (whole === undefined && (asked === undefined || !bytesEqual(asked, print)))
          this.#feed.extend(compareQuestion, (asked = print))
        return whole !== undefined
      })
      return whole ?? ''
    } finally {
      this.#onWhole = undefined
      this.#feed.removeEventListener('peer', onPeer)
    }
  }

  /** There are no more questions than connections. */
  #forgetOthers(): void {
    const connected = new Set<string>(this.#feed.status().peers.map(({ nodeId }) => nodeId))
    for (const nodeId of this.#askedByNode.keys()) if (!connected.has(nodeId)) this.#askedByNode.delete(nodeId)
  }

  #print(): Uint8Array {
    const layout = this.#options.layout()
    if (this.#made?.layout !== layout) this.#made = { layout, print: printOf(layout, this.#options.digest) }
    return this.#made.print
  }
}

/** The same for all who have the same things under the same names, whatever a disk makes of these. */
export function printOf({ items }: Pick<Layout, 'items'>, digest: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const lines: string[] = []
  for (const { path, name, version } of items.values()) {
    const { kind, size, root, target } = version
    const directory = path.slice(0, path.lastIndexOf('/') + 1)
    lines.push(JSON.stringify([directory, name, kind, size, root.join(), target]))
  }
  return digest(new TextEncoder().encode(lines.sort().join('\n'))).slice(0, printBytes)
}
