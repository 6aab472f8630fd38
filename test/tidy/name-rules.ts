import { posix } from 'node:path'
import { isShipped, isTypeScript, matchLines, type Rule } from './rule.ts'

const declaration = String.raw`\b(?:function\s*\*?|const|let|class|interface|type)\s+`
const method = String.raw`^\s+(?:(?:static|async|override|abstract|readonly|private|protected)\s+)*#?`

const prefixed = new RegExp(
  `${declaration}(get[A-Z]\\w*)\\s*(?:[=(<:])|${method}(get[A-Z]\\w*)\\s*(?:<[^>]*>)?\\([^()]*(?:\\([^()]*\\)[^()]*)*\\)\\s*(?::|\\{)`,
)
const vague = /(?:Manager|Helper|Helpers|Util|Utils)$/
const vagueName = new RegExp(`${declaration}(\\w*(?:Manager|Helper|Helpers|Util|Utils))\\b`)

export const noGetPrefix: Rule = {
  name: 'a function is not called getSomething',
  // A declaration file says what others have called things.
  applies: (path) => isTypeScript(path) && !path.endsWith('.d.ts'),
  check: (file) => matchLines(file, prefixed, (match) => `${match[1] ?? match[2]}: name it after what it gives`),
}

export const vagueNames: Rule = {
  name: 'nothing is called Manager, Helper or Util',
  applies: isTypeScript,
  check: (file) => [
    ...matchLines(file, vagueName, (match) => `${match[1]}: say what it does`),
    ...posix
      .dirname(file.path)
      .split('/')
      .concat(posix.basename(file.path).replace(/\..*$/, ''))
      .filter((part) => vague.test(capitalized(part)))
      .map((part) => `${file.path}: '${part}' does not say what it holds`),
  ],
}

/** A field or parameter that holds a time must say in which unit: a reader must not have to guess, and cannot be wrong. */
export const unitsLast: Rule = {
  name: 'a number that is a time ends in its unit',
  applies: isShipped,
  check: (file) =>
    matchLines(
      file,
      /\b(\w*(?:[tT]imeout|[dD]elay|[iI]nterval|[dD]uration|[eE]lapsed))\??:\s*number\b/,
      (match) => `${match[1]}: append the unit, as in ${match[1]}Ms`,
    ),
}

function capitalized(part: string): string {
  return part.replace(/(?:^|-)([a-z])/g, (_all, letter: string) => letter.toUpperCase())
}
