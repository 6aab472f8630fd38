import { join } from 'node:path'
import { PlaitError } from '../../base/error.ts'
import { readNetworkKeyFile } from '../../identity/network-key.ts'
import { createNode } from '../../node/create-node.ts'
import type { PlaitNode } from '../../node/node-api.ts'
import { formatAddress, parseAddress, parseUrl } from '../../node/url.ts'
import { everyInterface } from '../listen-addresses.ts'
import type { Terminal } from '../terminal.ts'
import { version } from '../version.ts'
import { readListenPort, writeListenPort } from './listen-port.ts'

/** Who can reach the node: whoever can reach this machine, or an address of it; programs on this machine only; nobody. */
export type Reach =
  | { readonly at: 'everywhere'; readonly listen: string | undefined }
  | { readonly at: 'here' | 'nowhere' }

export interface FeedNodeOptions {
  /** Of the store, where the node has its key; a key for this time only when absent. */
  readonly folder: string | undefined
  readonly reach: Reach
  /** A file. */
  readonly psk: string | undefined
  readonly waitMs: number
  readonly terminal: Terminal
}

/** The node of a store: the same key each time, and if possible the same port. */
export async function createFeedNode(options: FeedNodeOptions): Promise<PlaitNode> {
  const { folder, psk, waitMs, reach } = options
  const networkKey = psk === undefined ? undefined : await readNetworkKeyFile(psk)
  const create = (address?: { host: string; port: number }): Promise<PlaitNode> =>
    createNode({
      ...(folder === undefined ? {} : { keyFile: join(folder, 'node.key') }),
      ...(address === undefined ? {} : { listen: [`tcp://${formatAddress(address)}`] }),
      ...(networkKey === undefined ? {} : { networkKey }),
      application: { name: 'plait', version: version() },
      dialTimeoutMs: waitMs,
      resumeMs: waitMs,
    })
  switch (reach.at) {
    case 'nowhere':
      return create()
    case 'here':
      return create({ host: '127.0.0.1', port: 0 })
    case 'everywhere':
      return reach.listen === undefined ? listenAgain(create, options) : create(parseAddress(reach.listen))
  }
}

async function listenAgain(
  create: (address: { host: string; port: number }) => Promise<PlaitNode>,
  { folder = '', terminal }: FeedNodeOptions,
): Promise<PlaitNode> {
  const host = everyInterface()
  const port = readListenPort(folder)
  try {
    return remember(await create({ host, port: port ?? 0 }), folder)
  } catch (error) {
    if (port === undefined || !PlaitError.is(error) || error.code === 'KEY_IN_USE') throw error
    terminal.note(
      `port ${port} is taken: this store gets another one, and links given out earlier lead nowhere until it is free again`,
    )
    return create({ host, port: 0 })
  }
}

function remember(node: PlaitNode, folder: string): PlaitNode {
  const port = node.addresses.flatMap((address) => parseUrl(address).addresses)[0]?.port
  if (port !== undefined) writeListenPort(folder, port)
  return node
}
