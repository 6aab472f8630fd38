import type { SourceFile } from '../tidy/tree.ts'

/** A fenced block of a document. */
export interface Block {
  readonly path: string
  /** Of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  readonly text: string
  /** What the fence says after the language: of a `ts` block the file that it stands in, and `fails`; of a `text` block `printed`. */
  readonly words?: readonly string[]
}

/** The file in which other blocks import a `ts` block. */
export function fileOf({ words }: Block): string | undefined {
  return words?.find((word) => word.endsWith('.ts'))
}

/** A `ts` block that has to end with an error, as the text around it says. */
export function isFailing({ words }: Block): boolean {
  return words?.includes('fails') === true
}

/** What a block may be: `ts` and `sh` are run, `json` is parsed, `text` shows what somebody sees. A fence without a word is refused. */
export const languages: readonly string[] = ['ts', 'sh', 'json', 'text']

export function isDocument(path: string): boolean {
  return /^(?:docs\/.*|[A-Z]+)\.md$/.test(path)
}

export function blocksOf({ path, text }: SourceFile): Block[] {
  const blocks: Block[] = []
  let open: { fence: string; line: number; language: string; words: string[]; lines: string[] } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^\s*(`{3,}|~{3,})\s*(\S*)(.*)/.exec(line)
    if (open !== undefined && fence?.[1] === open.fence && fence[2] === '') {
      const { line: from, language, words, lines } = open
      const block = { path, line: from, language, text: `${lines.join('\n')}\n` }
      blocks.push(words.length === 0 ? block : { ...block, words })
      open = undefined
    } else if (open !== undefined) open.lines.push(line)
    else if (fence !== null) {
      const [, marks = '', language = '', rest = ''] = fence
      open = {
        fence: marks,
        line: index + 1,
        language,
        words: rest.split(' ').filter((word) => word !== ''),
        lines: [],
      }
    }
  }
  if (open !== undefined) throw new Error(`${path}:${open.line}: the block is never closed`)
  return blocks
}

export function nameOf({ path, line }: Block): string {
  return `${path}:${line}`
}
