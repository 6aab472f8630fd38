import { utf8Length } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import { parseNodeId } from '../identity/node-id.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { LinkAddress } from '../link/link.ts'

/** `plait://NODEID@HOST:PORT[,HOST:PORT...]/SERVICE[/PEERID]`, taken apart. */
export interface PeerUrl {
  readonly nodeId: NodeId
  /** Where the node may be reached, the best first. Empty for a node that does not listen: it can be reached while a session lives. */
  readonly addresses: readonly LinkAddress[]
  /** Absent in the address of a node. */
  readonly service?: string
  /** Absent when any running instance will do. */
  readonly peerId?: string
}

const scheme = 'plait://'
const addressesMax = 16

/** Takes a peer URL, or the address of a node, apart. Throws `INVALID_ADDRESS` with what is wrong and what is expected. */
export function parseUrl(text: string): PeerUrl {
  if (typeof text !== 'string' || !text.startsWith(scheme)) throw invalid(text, `it does not begin with ${scheme}`)
  if (text.includes('#')) throw invalid(text, 'what stands behind the # belongs to a share link; leave it out')
  if (text.includes('?')) throw invalid(text, 'a ? must be written as %3F')
  const [authority = '', service, peerId, ...rest] = text.slice(scheme.length).split('/')
  if (rest.length > 0) throw invalid(text, 'there are too many slashes; a / in a name must be written as %2F')
  const at = authority.indexOf('@')
  const idText = at < 0 ? authority : authority.slice(0, at)
  const nodeId = readNodeId(text, idText)
  const addresses = at < 0 ? [] : readAddresses(text, authority.slice(at + 1))
  if (service === undefined || (service === '' && peerId === undefined)) return { nodeId, addresses }
  const named = { nodeId, addresses, service: readName(text, service, 'the service') }
  return peerId === undefined ? named : { ...named, peerId: readName(text, peerId, 'the peer id') }
}

/** Writes a URL that `parseUrl` reads back. Throws `INVALID_ARGUMENT` for a name that cannot be written. */
export function formatUrl(url: PeerUrl): string {
  const addresses = url.addresses.map(formatAddress).join(',')
  const node = `${scheme}${url.nodeId}${addresses === '' ? '' : `@${addresses}`}`
  if (url.service === undefined) return node
  const service = `${node}/${escapeName(url.service)}`
  return url.peerId === undefined ? service : `${service}/${escapeName(url.peerId)}`
}

/** `HOST:PORT`, IPv6 in brackets. */
export function formatAddress(address: LinkAddress): string {
  return address.host.includes(':') ? `[${encodeURI(address.host)}]:${address.port}` : `${address.host}:${address.port}`
}

/** Reads `HOST:PORT`, IPv6 in brackets. Throws `INVALID_ADDRESS`. */
export function parseAddress(text: string): LinkAddress {
  return readAddress(text, text)
}

/** Reads `SCHEME://HOST:PORT`, as in `listen`. Throws `INVALID_ADDRESS`. */
export function parseListenAddress(text: string): { readonly scheme: string; readonly address: LinkAddress } {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/.exec(text)
  if (match === null) throw invalid(text, 'expected SCHEME://HOST:PORT, for instance tcp://0.0.0.0:7001')
  const [, name = '', address = ''] = match
  return { scheme: name, address: readAddress(text, address) }
}

/** Throws `INVALID_ARGUMENT` unless `name` is 1 to 255 bytes of well-formed text. */
export function checkName(name: string, what: string): void {
  if (typeof name !== 'string' || name === '') throw new PlaitError('INVALID_ARGUMENT', `${what} must not be empty`)
  const problem = nameProblem(name)
  if (problem !== undefined) throw new PlaitError('INVALID_ARGUMENT', `${what} ${problem}`)
}

function readNodeId(text: string, idText: string): NodeId {
  if (idText === '') throw invalid(text, 'the node id is missing')
  try {
    return parseNodeId(idText)
  } catch (error) {
    throw invalid(text, `${JSON.stringify(shorten(idText))} is not a node id`, error)
  }
}

function readAddresses(text: string, list: string): LinkAddress[] {
  const addresses = list.split(',')
  if (addresses.length > addressesMax) throw invalid(text, `there are more than ${addressesMax} addresses`)
  return addresses.map((address) => readAddress(text, address))
}

function readAddress(text: string, address: string): LinkAddress {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([0-9]*))?$/.exec(address)
  if (match === null)
    throw invalid(text, `${JSON.stringify(shorten(address))} is not HOST:PORT (an IPv6 address stands in brackets)`)
  const [, bracketed, plain, portText = ''] = match
  const port = Number(portText)
  if (portText === '' || portText.length > 5 || port > 65_535)
    throw invalid(text, `${JSON.stringify(shorten(address))} has no port between 0 and 65535`)
  if (plain !== undefined) {
    if (!/^[A-Za-z0-9_.-]{1,255}$/.test(plain))
      throw invalid(text, `${JSON.stringify(shorten(plain))} is not a host name`)
    return { host: plain, port }
  }
  const host = unescapeText(text, bracketed ?? '')
  if (!/^[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9_.-]{1,32})?$/.test(host) || !host.includes(':')) {
    throw invalid(text, `${JSON.stringify(shorten(host))} is not an IPv6 address`)
  }
  return { host, port }
}

function readName(text: string, escaped: string, what: string): string {
  const name = unescapeText(text, escaped)
  if (name === '') throw invalid(text, `${what} is empty`)
  const problem = nameProblem(name)
  if (problem !== undefined) throw invalid(text, `${what} ${problem}`)
  return name
}

function nameProblem(name: string): string | undefined {
  if (/\p{Surrogate}/u.test(name)) return 'is not well-formed text'
  const bytes = utf8Length(name)
  return bytes > defaultLimits.nameBytes ? `has ${bytes} bytes; ${defaultLimits.nameBytes} are allowed` : undefined
}

function escapeName(name: string): string {
  checkName(name, 'a name')
  return encodeURIComponent(name)
}

function unescapeText(text: string, escaped: string): string {
  try {
    return decodeURIComponent(escaped)
  } catch (error) {
    throw invalid(text, `${JSON.stringify(shorten(escaped))} is not percent-escaped text`, error)
  }
}

function invalid(text: unknown, why: string, cause?: unknown): PlaitError {
  const shown = typeof text === 'string' ? JSON.stringify(shorten(text)) : String(text)
  return new PlaitError(
    'INVALID_ADDRESS',
    `${shown} cannot be read: ${why}. The form is plait://NODEID@HOST:PORT/SERVICE/PEERID`,
    { cause },
  )
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}
