import { PlaitError } from '../../base/error.ts'
import type { Drive } from '../../drive/drive-api.ts'
import { formatDriveLink, parseDriveLink } from '../../drive/drive-link.ts'
import type { PlaitNode } from '../../node/node-api.ts'
import { parseUrl } from '../../node/url.ts'
import type { ControlRequest } from '../control/control-protocol.ts'
import type { DriveAnswers, DriveRequest } from '../control/drive-requests.ts'
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
): Promise<DriveAnswers[Request['command']]> {
  return (await answer(drive, node, request)) as DriveAnswers[Request['command']]
}

async function answer(drive: Drive, node: PlaitNode, request: DriveRequest): Promise<DriveAnswers[keyof DriveAnswers]> {
  switch (request.command) {
    case 'drive-entries':
      return {
        entries: drive.entries().map(({ path, version, isConflict, isHere }) => {
          const { kind, mode, size, mtimeNs } = version
          return { path, isConflict, isHere, kind, mode, size, mtimeNs: String(mtimeNs) }
        }),
      }
    case 'drive-history':
      return {
        history: drive
          .history()
          .map(({ id, path, kind, size, whenMs, why }) => ({ id, path, kind, size, whenMs, why })),
      }
    case 'drive-restore':
      drive.restore(request.id, request.path)
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

function isDriveRequest(request: ControlRequest): request is DriveRequest {
  return request.command.startsWith('drive-')
}
