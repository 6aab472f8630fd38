import { PlaitError } from '../../base/error.ts'
import type { Drive, DriveRepair, VerifyOptions } from '../../drive/drive-api.ts'
import { formatDriveLink, parseDriveLink } from '../../drive/drive-link.ts'
import type { DriveVerification } from '../../drive/verification.ts'
import type { PlaitNode } from '../../node/node-api.ts'
import { parseUrl } from '../../node/url.ts'
import type { ControlRequest } from '../control/control-protocol.ts'
import {
  isDriveRequest,
  readBytesMax,
  type DriveAnswers,
  type DriveRequest,
  type EntryFacts,
  type VerificationFacts,
} from '../control/drive-requests.ts'
import { reachableAt } from '../listen-addresses.ts'

/** Answers what others ask of the drive of this program. */
export async function answerOfDrive(drive: Drive, node: PlaitNode, request: ControlRequest): Promise<unknown> {
  if (!isDriveRequest(request)) throw new PlaitError('INVALID_ARGUMENT', 'this program has no store of feeds or groups')
  return answerTo(drive, node, request)
}

export async function answerTo<Request extends DriveRequest>(
  drive: Drive,
  node: PlaitNode,
  request: Request,
  options: VerifyOptions = {},
): Promise<DriveAnswers[Request['command']]> {
  return (await answer(drive, node, request, options)) as DriveAnswers[Request['command']]
}

async function answer(
  drive: Drive,
  node: PlaitNode,
  request: DriveRequest,
  options: VerifyOptions,
): Promise<DriveAnswers[keyof DriveAnswers]> {
  switch (request.command) {
    case 'drive-entries':
      return { entries: entriesOf(drive) }
    case 'drive-history':
      return {
        history: drive
          .history()
          .map(({ id, path, kind, size, whenMs, why }) => ({ id, path, kind, size, whenMs, why })),
      }
    case 'drive-restore':
      drive.restore(request.id, request.path)
      return { path: request.path }
    case 'drive-read':
      return { bytes: Buffer.concat(await partsOf(drive, request)).toString('base64') }
    case 'drive-verify':
      return factsOf(await drive.verify(options))
    case 'drive-repair':
      return factsOf(await drive.repair(options))
    case 'drive-resolve':
      await drive.resolve(request.path, { keep: request.keep })
      return { path: request.path }
    case 'drive-invite': {
      const { command: _, ...wish } = request
      const link = parseDriveLink(await drive.invite(wish))
      const bound = node.addresses.flatMap((address) => parseUrl(address).addresses)
      return { link: formatDriveLink({ ...link, nodeId: node.id, addresses: reachableAt(bound) }) }
    }
    case 'drive-revoke':
      await drive.revoke(request.link)
      return { link: request.link }
  }
}

/** As it stands in JSON. */
export function entriesOf(drive: Drive): readonly EntryFacts[] {
  return drive.entries().map(({ path, version, isConflict, isHere }) => {
    const { kind, mode, size, mtimeNs } = version
    return { path, isConflict, isHere, kind, mode, size, mtimeNs: String(mtimeNs) }
  })
}

async function partsOf(drive: Drive, range: { path: string; start: number; end: number }): Promise<Uint8Array[]> {
  const { path, start } = range
  const end = Math.min(range.end, start + readBytesMax)
  const parts: Uint8Array[] = []
  for await (const bytes of drive.read(path, { start, end })) parts.push(bytes)
  return parts
}

function factsOf(verification: DriveVerification | DriveRepair): VerificationFacts {
  const { files, bytes, damaged, edited, absent } = verification
  const problems = 'problems' in verification ? verification.problems : []
  return { files, bytes, damaged, edited, absent, problems: problems.map(({ path, reason }) => ({ path, reason })) }
}
