/**
 * Control characters of both sets, marks that reverse or hide text, line and paragraph separators, and lone
 * surrogates: what a file name may have in it and a terminal must not get.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** `text` with everything that could move a cursor, hide or reorder text, or break a line written out as an escape. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => {
    const short = shortEscapes.get(character)
    if (short !== undefined) return short
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`
  })
}

/** One line of JSON; safe on a terminal too, where a reader of JSON sees no difference. */
export function jsonLine(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(value).replace(unsafe, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\x1b', '\\e'],
])
