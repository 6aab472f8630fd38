import type { SourceFile } from './tree.ts'

/** Something that lint cannot see. `check` gives a sentence for each place in the file that breaks it, with the line. */
export interface Rule {
  readonly name: string
  /** Which files it holds for. */
  readonly applies: (path: string) => boolean
  readonly check: (file: SourceFile) => string[]
}

/** A sentence for each line that `pattern` matches; `say` gets the match. */
export function matchLines(file: SourceFile, pattern: RegExp, say: (match: RegExpExecArray) => string): string[] {
  return file.text.split('\n').flatMap((line, index) => {
    const match = pattern.exec(line)
    return match === null ? [] : [`${file.path}:${index + 1}: ${say(match)}`]
  })
}

export function isTypeScript(path: string): boolean {
  return path.endsWith('.ts')
}

/** The library and the program: what ships, and must hold to the layers and doors. */
export function isShipped(path: string): boolean {
  return path.startsWith('src/') && isTypeScript(path) && !path.endsWith('.test.ts')
}
