import { PlaitError, type ErrorCode } from '../../base/error.ts'
import { parseDriveLink } from '../../drive/drive-link.ts'
import { formatAddress } from '../../node/url.ts'

/** Why a share link has not let this node in, in words that say what to do. */
export function explainedShare(error: unknown, link: string): unknown {
  if (!PlaitError.is(error)) return error
  const isUnknown = error.code === 'FORBIDDEN' && error.message.includes('not open at this node')
  const code: ErrorCode = isUnknown ? 'UNKNOWN_PEER' : error.code
  const isSecret = error.code === 'FORBIDDEN' && error.message.includes('no invitation')
  const template = isSecret ? secretText : explanations.get(code)
  if (template === undefined) return error
  const addresses = parseDriveLink(link).addresses.map(formatAddress).join(', ')
  return new PlaitError(code, template.replace('ADDRESSES', addresses), { facts: error.facts, cause: error })
}

const secretText =
  'the sharing side does not accept the secret of this link; ask for a new link, it may have been revoked'

const explanations: ReadonlyMap<ErrorCode, string> = new Map([
  [
    'UNREACHABLE',
    'nobody answers at ADDRESSES; see that `plait share` is running there, and that this machine can reach it',
  ],
  [
    'WRONG_KEY',
    'another node than the one of this link answers at ADDRESSES; ask for the present link, and use no other',
  ],
  [
    'WRONG_NETWORK',
    'the other side and this one are not in the same private network; give both the same file with --psk, or neither',
  ],
  ['SELF_DIAL', 'this link leads back to this very folder; use it on another machine, or with another folder'],
  ['UNKNOWN_PEER', 'the node at ADDRESSES does not share that folder now; see that `plait share` is running there'],
  [
    'UNKNOWN_SERVICE',
    'the node at ADDRESSES was reached, but it shares no folders: it runs another program, or an older plait',
  ],
])
