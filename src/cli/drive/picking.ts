import type { Command } from 'commander'
import type { DriveOptions } from '../../drive/drive-api.ts'
import { parseByteRate } from './byte-rate.ts'
import type { Copy } from './copy-state.ts'

/** What of a drive takes part in a copy of it, and how. */
export interface PickFlags {
  readonly only?: readonly string[]
  readonly ignore?: readonly string[]
  /** Forgets the patterns of before. */
  readonly everything?: boolean
  readonly readOnly?: boolean
  readonly limit?: number
}

export function addPickFlags(command: Command): Command {
  const collect = (pattern: string, before: readonly string[] = []): readonly string[] => [...before, pattern]
  return command
    .option(
      '--only <PATTERN>',
      'nothing but what matches, as in gitignore; once or more, and kept for next time',
      collect,
    )
    .option('--ignore <PATTERN>', 'not what matches: it stays as it is here, and with the others; kept, too', collect)
    .option('--everything', 'forget the patterns of --only and --ignore')
    .option('--limit <RATE>', 'bytes a second, each way: 500k, 2M', parseByteRate)
}

export function addReadOnlyFlags(command: Command): Command {
  return command
    .option('--read-only', 'only receive: what is changed here is told to nobody; kept for next time')
    .option('--no-read-only', 'send again what is changed here')
}

/** The copy as it is to be from now on; patterns that are given take the place of all those of before. */
export function picked<Picked extends Copy>(copy: Picked, { only, ignore, everything, readOnly }: PickFlags): Picked {
  const { only: _only, ignore: _ignore, isReadOnly: _isReadOnly, ...rest } = copy
  const isNew = everything === true || only !== undefined || ignore !== undefined
  const patterns = isNew ? { only, ignore } : copy
  const isReadOnly = readOnly ?? copy.isReadOnly ?? false
  return {
    ...(rest as Picked),
    ...(patterns.only !== undefined && { only: patterns.only }),
    ...(patterns.ignore !== undefined && { ignore: patterns.ignore }),
    ...(isReadOnly && { isReadOnly }),
  }
}

/** As the library takes it. */
export function pickOptions({ only, ignore, isReadOnly }: Copy, limit: number | undefined): Partial<DriveOptions> {
  return {
    ...(only !== undefined && { only }),
    ...(ignore !== undefined && { ignore }),
    ...(isReadOnly === true && { isReadOnly }),
    ...(limit !== undefined && { bytesPerSecondMax: limit }),
  }
}
