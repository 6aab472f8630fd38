import { isTypeScript, matchLines, type Rule } from './rule.ts'

const lineCharactersMax = 140

export const leftovers: Rule = {
  name: 'nothing is left for later',
  applies: (path) => !path.startsWith('test/tidy/') && path !== 'CONTRIBUTING.md',
  check: (file) =>
    matchLines(
      file,
      /\b(?:TODO|FIXME|XXX|HACK|[nN]ot (?:yet )?implemented|unimplemented)\b/,
      (match) => `${match[0]}: do it, or drop it`,
    ),
}

/** `context.skip('why')` is the one way to leave out a test, because it says why in the summary. */
export const skippedTests: Rule = {
  name: 'no test is skipped, singled out or expected to fail',
  applies: (path) => isTypeScript(path),
  check: (file) =>
    matchLines(
      file,
      /\b(?:it|test|describe|suite)\.(?:skip|only|todo|fails|skipIf|runIf)\b|\bx(?:it|describe)\(|\bretry:/,
      (match) => `${match[0]}: a test runs, or says why not by context.skip('reason')`,
    ),
}

export const machinePaths: Rule = {
  name: 'no path of a machine stands in the tree',
  applies: () => true,
  check: (file) =>
    matchLines(
      file,
      /(?<![\w.~}-])(?:\/(?:home|Users|root|work|mnt|private)\/\w|[A-Z]:\\\\?Users)/,
      (match) => `${match[0]}: this path exists on one machine only`,
    ),
}

const comment = /^\s*(?:\/\/|\/?\*)/

/** Code is the formatter's, and a message stays in one piece. */
export const longLines: Rule = {
  name: `comments stay within ${lineCharactersMax} columns`,
  applies: (path) => isTypeScript(path),
  check: (file) =>
    file.text
      .split('\n')
      .flatMap((line, index) =>
        line.length > lineCharactersMax && comment.test(line)
          ? [`${file.path}:${index + 1}: ${line.length} characters`]
          : [],
      ),
}

/** What works with real sockets and files. */
const realTime = ['src/runtime/system/', 'src/link/tcp/', 'src/identity/', 'src/drive/', 'src/cli/']

/** Conformance tests may wait; the others jump from deadline to deadline. */
export const sleeps: Rule = {
  name: 'a test of a state machine does not sleep',
  applies: (path) =>
    path.endsWith('.test.ts') &&
    (path.startsWith('src/') || path.startsWith('test/')) &&
    !realTime.some((folder) => path.startsWith(folder)),
  check: (file) =>
    matchLines(
      file,
      /\bsetTimeout\(|\bsetInterval\(|timers\/promises|\bsleep\(/,
      (match) => `${match[0]} waits for real time`,
    ),
}
