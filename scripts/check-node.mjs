// Runs before the tests, on whatever Node is at hand: plain JavaScript, no dependency.
import { existsSync } from 'node:fs'

const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  fail(
    `This is Node.js ${process.versions.node}; plait is tested on Node.js 24. ` +
      'npm scripts find version 24 in node_modules/.bin: run `npm ci` first, and start tests with `npm test` or `npx`.',
  )
}
if (process.argv.includes('--built') && !existsSync(new URL('../dist/cli/main.js', import.meta.url))) {
  fail('dist/cli/main.js is missing: run `npm run build` first.')
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
