import { PlaitError, type ErrorCode } from '../../base/error.ts'
import { parseGroupLink } from '../../causal/group-link.ts'
import { formatAddress } from '../../node/url.ts'

/** Why a link has not let this node in, in words that say what to do. */
export function explainedJoin(error: unknown, link: string): unknown {
  if (!PlaitError.is(error)) return error
  const template = explanations.get(error.code)
  if (template === undefined) return error
  const addresses = parseGroupLink(link).addresses.map(formatAddress).join(', ')
  return new PlaitError(error.code, template.replace('ADDRESSES', addresses), { facts: error.facts, cause: error })
}

const explanations: ReadonlyMap<ErrorCode, string> = new Map([
  [
    'UNREACHABLE',
    'nobody answers at ADDRESSES; see that `plait group serve` is running there, and that this machine can reach it',
  ],
  [
    'WRONG_KEY',
    'another node than the one of this link answers at ADDRESSES; ask for the present link, and use no other',
  ],
  [
    'WRONG_NETWORK',
    'the other side and this one are not in the same private network; give both the same file with --psk, or neither',
  ],
  [
    'SELF_DIAL',
    'this link leads back to this very store; use it on another machine, or with another folder in --store',
  ],
  ['UNKNOWN_SERVICE', 'the node at ADDRESSES was reached, but it serves no groups: it runs another program'],
])
