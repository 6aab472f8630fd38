import { mkdirSync, realpathSync } from 'node:fs'
import type { Command } from 'commander'
import { PlaitError } from '../base/error.ts'
import { Clone, type CloneProblem } from '../drive/clone.ts'
import { fileError } from '../drive/disk/file-error.ts'
import { writeMarker } from '../drive/disk/marker.ts'
import type { Progress } from '../drive/progress.ts'
import { parseShareLink, type ShareLink } from '../drive/share-link.ts'
import { readNetworkKeyFile } from '../identity/network-key.ts'
import { createNode } from '../node/create-node.ts'
import type { PlaitNode } from '../node/node-api.ts'
import { formatAddress } from '../node/url.ts'
import { systemRuntime } from '../runtime/system/system-runtime.ts'
import { cloneProgress } from './clone-progress.ts'
import { programResumeMs, reportConnection } from './connection-report.ts'
import { firstLine } from './first-line.ts'
import { wholeNumber } from './flag-values.ts'
import { checkCloneTarget, type CloneTarget } from './open-replica.ts'
import { jsonLine, printable } from './printable.ts'
import { ProgressReport } from './progress-report.ts'
import { keyFile, readReplica, removeReplica, writeReplica } from './replica-state.ts'
import { metricsFlag, metricsHelp, RunningProgram } from './running-program.ts'
import { StopSignals } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'
import { countOf, formatBytes, formatCount, formatDuration } from './units.ts'
import { version } from './version.ts'

/** The other side gets this long to hear that all has come. */
const farewellMs = 1_000

interface CloneFlags {
  readonly json?: boolean
  readonly psk?: string
  readonly wait: number
  readonly metrics?: string
}

/** What the parts of a run share. */
interface Run {
  readonly link: ShareLink
  readonly target: CloneTarget
  readonly terminal: Terminal
  readonly json: boolean
  readonly networkKey: Uint8Array | undefined
  readonly metrics: string | undefined
  readonly waitMs: number
  readonly signal: AbortSignal
}

export function addCloneCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('clone')
    .description(
      'Fetch a shared folder. Run again, it fetches what has changed: files there win over files here, files only here stay.',
    )
    .argument('<LINK>', 'the link that `plait share` printed, in quotes; - reads it from standard input')
    .argument('<DIR>', 'where to put it: a new or an empty folder, or one that it was put in before')
    .option('--psk <FILE>', 'the key of a private network, made with `plait psk`')
    .option(
      '--wait <SECONDS>',
      'how long to look for the sharing side, also when the connection is lost on the way',
      wholeNumber(1, 86_400),
      programResumeMs / 1_000,
    )
    .option(metricsFlag, metricsHelp)
    .option('--json', 'print lines of JSON')
    .addHelpText(
      'after',
      "\nExample:\n  plait clone 'plait://...' ./photos\n\nExit code: 0 when everything is there, 1 when something is not.",
    )
    .action(async (link: string, folder: string, flags: CloneFlags) => done(await clone(link, folder, flags, terminal)))
}

async function clone(linkText: string, folder: string, flags: CloneFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const link = parseShareLink(linkText === '-' ? await firstLine(stop.signal) : linkText)
  const run: Run = {
    link,
    target: checkCloneTarget(folder, link),
    terminal,
    json: flags.json === true,
    networkKey: flags.psk === undefined ? undefined : await readNetworkKeyFile(flags.psk),
    metrics: flags.metrics,
    waitMs: flags.wait * 1_000,
    signal: stop.signal,
  }
  const startedMs = performance.now()
  const node = await startNode(run)
  let accepted = false
  try {
    const progress = await fetchAll(node, run, () => {
      accepted = true
    })
    summarize(progress, performance.now() - startedMs, run)
    return progress.failed === 0 ? 0 : 1
  } finally {
    await node.close({ signal: AbortSignal.timeout(farewellMs) })
    if (!accepted && !run.target.again) removeReplica(run.target.replicaId)
  }
}

async function fetchAll(node: PlaitNode, run: Run, accepted: () => void): Promise<Progress> {
  const { link, target, terminal, json, signal } = run
  const fetching = new Clone({
    node,
    runtime: systemRuntime(),
    link,
    folder: target.folder,
    prepare: () => {
      accepted()
      prepare(run, node)
      return target.missing
    },
    onProblem: (problem) => reportProblem(problem, terminal, json),
    signal,
  })
  const running = await RunningProgram.open({
    node,
    work: () => ({ role: 'clone', folder: target.folder, driveId: link.driveId, progress: fetching.progress }),
    terminal,
    json,
    metrics: run.metrics,
  })
  const opening = `connecting to ${link.addresses.map(formatAddress).join(', ')}`
  const report = new ProgressReport(cloneProgress(fetching.progress, opening), { terminal, json })
  try {
    await fetching.run()
  } finally {
    report.close()
    await running.close()
  }
  return fetching.progress
}

/** Until the other side has accepted the secret, nothing is written where the clone is to go. */
async function startNode(run: Run): Promise<PlaitNode> {
  const { link, target } = run
  const { replicaId, folder } = target
  if (readReplica(replicaId) === undefined)
    writeReplica({ replicaId, driveId: link.driveId, role: 'clone', folder, marked: true })
  try {
    const node = await createNode({
      keyFile: keyFile(replicaId),
      application: { name: 'plait', version: version() },
      dialTimeoutMs: run.waitMs,
      resumeMs: run.waitMs,
      ...(run.networkKey === undefined ? {} : { networkKey: run.networkKey }),
    })
    reportConnection(node, run.waitMs, run.terminal, run.json)
    return node
  } catch (error) {
    if (!PlaitError.is(error) || error.code !== 'KEY_IN_USE') throw error
    const pid = String(error.facts['pid'] ?? 'unknown')
    throw new PlaitError(
      'KEY_IN_USE',
      `process ${pid} is cloning into ${folder} already; wait for it, or stop it first`,
      { facts: error.facts, cause: error },
    )
  }
}

function prepare(run: Run, node: PlaitNode): void {
  const { link, target } = run
  const { replicaId, folder } = target
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw fileError(error, folder)
  }
  writeMarker(folder, { driveId: link.driveId, replicaId, role: 'clone' })
  writeReplica({
    replicaId,
    driveId: link.driveId,
    role: 'clone',
    folder: realpathSync(folder),
    marked: true,
    nodeId: node.id,
  })
}

function reportProblem(problem: CloneProblem, terminal: Terminal, json: boolean): void {
  if (json) terminal.print(jsonLine({ event: 'problem', ...problem }))
  else terminal.note(`not copied: ${printable(`${problem.path || '.'} ${problem.reason}`)}`)
}

function summarize(progress: Progress, elapsedMs: number, run: Run): void {
  const { terminal, target } = run
  const { filesDone, bytesDone, unchanged, failed } = progress
  if (run.json) {
    const bytesPerSecond = Math.round((bytesDone * 1_000) / elapsedMs)
    return terminal.print(
      jsonLine({
        event: 'summary',
        folder: target.folder,
        ...progress,
        elapsedMs: Math.round(elapsedMs),
        bytesPerSecond,
      }),
    )
  }
  const speed = `${formatDuration(elapsedMs)}, ${formatBytes((bytesDone * 1_000) / elapsedMs)}/s`
  const parts = [
    filesDone === 0
      ? 'nothing fetched'
      : `${countOf(filesDone, 'file')} fetched (${formatBytes(bytesDone)} in ${speed})`,
  ]
  if (unchanged > 0) parts.push(`${formatCount(unchanged)} already right`)
  if (failed > 0) parts.push(`${formatCount(failed)} not copied, see above`)
  terminal.print(`${printable(target.folder)}: ${parts.join(', ')}`)
}
