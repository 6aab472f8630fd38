import type { Command } from 'commander'
import { bytesEqual } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { parseDriveLink } from '../../drive/drive-link.ts'
import { wholeNumber } from '../flag-values.ts'
import { parseDuration } from '../group/duration.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { askDrive } from './ask-drive.ts'
import { writeCopy } from './copy-state.ts'
import { knownCopy } from './sync-command.ts'

interface InviteFlags {
  readonly write?: boolean
  readonly uses?: number
  readonly for?: number
  readonly json?: boolean
}

export function addLinkCommands(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('invite')
    .description('Print a link by which others get a folder. It works while `plait share` or `plait sync` runs.')
    .argument('<DIR>', 'a folder that is shared here')
    .option('--write', 'who joins by it may change the folder, too')
    .option('--uses <N>', 'how many may join by it; any number if left out', wholeNumber(1, 1_000_000))
    .option('--for <DURATION>', 'how long it is good for: 90s, 30m, 12h, 7d; for ever if left out', parseDuration)
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait invite ./photos --uses 1 --for 1h')
    .action(async (path: string, { write, uses, for: validMs, json }: InviteFlags) => {
      const wish = {
        role: write === true ? 'write' : 'read',
        ...(uses && { uses }),
        ...(validMs && { validMs }),
      } as const
      const { link } = await askDrive(path, { command: 'drive-invite', ...wish }, { terminal }).catch(explain)
      terminal.print(json === true ? jsonLine({ event: 'invited', link, ...wish }) : link)
      done(0)
    })
  program
    .command('revoke')
    .description('Nobody joins by a link any more; whoever has joined stays.')
    .argument('<DIR>', 'the folder')
    .argument('<LINK>', 'the link, in quotes')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', "\nExample:\n  plait revoke ./photos 'plait://...'")
    .action(async (path: string, link: string, flags: { readonly json?: boolean }) => {
      await askDrive(path, { command: 'drive-revoke', link: link.trim() }, { terminal }).catch(explain)
      forgetLink(path, link)
      if (flags.json === true) terminal.print(jsonLine({ event: 'revoked' }))
      else terminal.note('nobody joins by this link any more')
      done(0)
    })
}

/** `plait share` prints another one the next time. */
function forgetLink(path: string, link: string): void {
  const copy = knownCopy(path)
  const { secret } = parseDriveLink(link)
  const kept = Object.entries(copy.links ?? {}).filter(([, one]) => !bytesEqual(parseDriveLink(one).secret, secret))
  writeCopy({ ...copy, links: Object.fromEntries(kept) })
}

function explain(error: unknown): never {
  if (!PlaitError.is(error) || error.code !== 'FORBIDDEN') throw error
  const message = 'links are made and revoked where the folder is shared: ask there'
  throw new PlaitError('FORBIDDEN', message, { facts: error.facts, cause: error })
}
