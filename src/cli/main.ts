#!/usr/bin/env node
// Nothing is imported statically: an older Node must come to the sentence below before it meets anything that it does
// not know.
const [major = 0] = process.versions.node.split('.').map(Number)
if (major >= 24) {
  startSmall()
  void import('./program.ts').then((program) => program.main())
} else {
  const needs = `plait needs Node.js 24 or newer, this is ${process.version}; install it from https://nodejs.org and try again`
  process.stderr.write(`${needs}\n`)
  process.exitCode = 1
}

/**
 * What keeps a folder in sync runs for days. V8 takes up to a hundred MiB for what was made a moment ago, whether that is of use or
 * not, and gives nothing of it back; how much is said when it starts, and nowhere else. So the process begins once more, under the same id.
 */
function startSmall(): void {
  const option = '--max-semi-space-size'
  const isSet = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((text) => text.includes(option))
  const lasts = ['share', 'clone', 'sync'].includes(process.argv[2] ?? '')
  // Who has forked it speaks with it over what would be lost.
  if (!lasts || isSet || process.execve === undefined || process.platform === 'win32' || process.send !== undefined)
    return
  const { execPath, execArgv, argv, env } = process
  try {
    process.execve(execPath, [execPath, `${option}=8`, ...execArgv, ...argv.slice(1)], env)
  } catch {
    // It takes more memory, and that is all.
  }
}
