// Runs one example, and fails it when it has put something into the global object.
import { pathToFileURL } from 'node:url'

const before = new Set(Object.getOwnPropertyNames(globalThis))
process.on('exit', (code) => {
  const added = Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name))
  if (added.length === 0 || code !== 0) return
  process.stderr.write(`the example has defined globals: ${added.join(', ')}\n`)
  process.exitCode = 1
})
// The example finds itself where it would be without this file.
process.argv.splice(1, 1)
await import(pathToFileURL(process.argv[1]).href)
