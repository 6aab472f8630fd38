import { PlaitError } from '../../base/error.ts'

/** How many characters of an id are enough, if no other group of the store begins so. */
const idCharactersMin = 4

/**
 * The group of the store that is meant: by its name, its id or the beginning of that; the only one when nothing is said. Throws
 * `INVALID_ARGUMENT` when none is meant, or more than one.
 */
export function resolveGroup<Named extends { readonly id: string; readonly name: string }>(
  text: string | undefined,
  list: readonly Named[],
): Named {
  const wanted = text?.trim()
  const named = list.filter(({ name }) => wanted === undefined || name === wanted)
  const [first, second] = named.length > 0 ? named : list.filter(({ id }) => isMeant(wanted ?? '', id))
  if (first !== undefined && second === undefined) return first
  if (second === undefined)
    throw new PlaitError(
      'INVALID_ARGUMENT',
      list.length === 0
        ? 'the store has no groups yet: `plait group create` makes one, and `plait group join LINK` joins one'
        : `no group of the store is called ${wanted ?? ''}, or has an id that begins so; \`plait group status\` shows all`,
    )
  throw new PlaitError(
    'INVALID_ARGUMENT',
    wanted === undefined
      ? `the store has ${list.length} groups; say which: \`plait group status\` shows their names and ids`
      : `several groups of the store are called ${wanted}, or have ids that begin so; name more of the id`,
  )
}

function isMeant(text: string, id: string): boolean {
  return text.length >= idCharactersMin && id.startsWith(text)
}
