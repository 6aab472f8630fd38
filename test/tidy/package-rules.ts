import { posix } from 'node:path'
import type { Rule } from './rule.ts'

const exact = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/
const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

type Dependencies = Readonly<Partial<Record<(typeof kinds)[number], Readonly<Record<string, string>>>>>

export const exactVersions: Rule = {
  name: 'a dependency has one exact version',
  applies: (path) => posix.basename(path) === 'package.json',
  check: (file) => {
    const parsed = JSON.parse(file.text) as Dependencies
    return kinds
      .flatMap((kind) => Object.entries(parsed[kind] ?? {}))
      .filter(([, version]) => !exact.test(version) && !version.startsWith('file:'))
      .map(([name, version]) => `${file.path}: ${name} ${version}: write the version that was tried`)
  },
}

/** A lockfile that names hosts works only where those hosts can be reached. */
export const lockedAddresses: Rule = {
  name: 'a lockfile names no address',
  applies: (path) => posix.basename(path) === 'package-lock.json',
  check: (file) =>
    file.text
      .split('\n')
      .flatMap((line, index) =>
        /"resolved":\s*"https?:/.test(line)
          ? [`${file.path}:${index + 1}: run npm install with this repository's .npmrc`]
          : [],
      ),
}
