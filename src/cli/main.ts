#!/usr/bin/env node
// Nothing is imported statically: an older Node must come to the sentence below before it meets anything that it does
// not know.
const [major = 0] = process.versions.node.split('.').map(Number)
if (major >= 24) {
  void import('./program.ts').then((program) => program.main())
} else {
  const needs = `plait needs Node.js 24 or newer, this is ${process.version}; install it from https://nodejs.org and try again`
  process.stderr.write(`${needs}\n`)
  process.exitCode = 1
}
