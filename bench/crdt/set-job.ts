import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Profile } from '../harness/profile.ts'
import { cpuSeconds, peakMiB } from '../harness/usage.ts'
import type { Measure } from '../workloads/workload.ts'
import { elementOf, fingerprintOf } from './element.ts'
import type { CrdtResult, SetJob, SetMeasurement } from './job.ts'
import { joinOperations, splitOperations } from './operation-file.ts'
import { warmUp } from './set-warm-up.ts'
import type { SetReplica, SetTool } from './set-tool.ts'

/** Who has written what is in both, and what only one of the two has. */
const [common, ours, theirs] = [1, 2, 3]

/** Does one job of the rows of sets with one tool. Throws when what comes of it is not what it must be. */
export async function runSetJob(tool: SetTool, job: SetJob): Promise<CrdtResult> {
  const about = { version: tool.version, settings: tool.settings }
  if (job.kind === 'prepare') {
    prepare(tool, job)
    return { ...about, measures: [], before: '', after: '', profile: [] }
  }
  warmUp(tool)
  // A plain array, since slices of a Buffer are no copies.
  const file = (name: string): Uint8Array => new Uint8Array(readFileSync(join(job.folder, name)))
  const state = file(job.kind === 'merge' ? 'ours' : 'state')
  globalThis.gc?.()
  const began = performance.now()
  const replica = tool.load(state, ours)
  const loadMs = performance.now() - began
  const before = fingerprintOf(replica.elements())
  const profile = job.profiled ? new Profile() : undefined
  globalThis.gc?.()
  await profile?.begin()
  const measures = measurements[job.kind](replica, job, file)
  const lines = (await profile?.finish()) ?? []
  check(replica, job)
  return {
    ...about,
    measures: [...measures, { metric: 'load', unit: 'ms', value: loadMs }, bytes('stateBytes', state)],
    before,
    after: fingerprintOf(replica.elements()),
    profile: lines,
  }
}

/**
 * Files: `state` is written by one; `ours` and `theirs` have the first half of it in common, and a half each of their own, so that each
 * has as many elements as `state`; `operations` are another one's on `state`.
 */
function prepare(tool: SetTool, { elements, pairs, folder }: SetJob): void {
  const write = (name: string, content: Uint8Array): void => writeFileSync(join(folder, name), content)
  const half = elements / 2
  const state = tool.create(common)
  state.addAll(range(0, half))
  const halfState = state.encode()
  state.addAll(range(half, elements))
  const wholeState = state.encode()
  write('state', wholeState)
  for (const [name, writer, first] of [
    ['ours', ours, elements],
    ['theirs', theirs, elements + half],
  ] as const) {
    const replica = tool.load(halfState, writer)
    replica.addAll(range(first, first + half))
    write(name, replica.encode())
  }
  const other = tool.load(wholeState, theirs)
  const operations: Uint8Array[] = []
  for (let pair = 0; pair < pairs; pair += 1)
    operations.push(other.add(windowElement(elements + pair, elements)), other.delete(windowElement(pair, elements)))
  write('operations', joinOperations(operations))
}

type Measuring = (replica: SetReplica, job: SetJob, file: (name: string) => Uint8Array) => Measure[]

const measurements: Readonly<Record<SetMeasurement, Measuring>> = {
  local(replica, { elements, pairs }) {
    const spent = { add: 0, delete: 0 }
    const sent = { add: 0, delete: 0 }
    const timed = (kind: 'add' | 'delete', element: string): void => {
      const began = performance.now()
      const operation = replica[kind](element)
      spent[kind] += performance.now() - began
      sent[kind] += operation.length
    }
    const usedBefore = cpuSeconds()
    for (let pair = 0; pair < pairs; pair += 1) {
      timed('add', windowElement(elements + pair, elements))
      timed('delete', windowElement(pair, elements))
    }
    const cpu = cpuSeconds() - usedBefore
    return [
      { metric: 'add', unit: 'µs', value: (spent.add * 1_000) / pairs },
      { metric: 'delete', unit: 'µs', value: (spent.delete * 1_000) / pairs },
      { metric: 'cpu', unit: 'µs', value: (cpu * 1e6) / (2 * pairs) },
      { metric: 'addBytes', unit: 'B', value: sent.add / pairs },
      { metric: 'deleteBytes', unit: 'B', value: sent.delete / pairs },
      peak(),
    ]
  },
  remote(replica, { pairs }, file) {
    const operations = splitOperations(file('operations'))
    if (operations.length !== 2 * pairs) throw new Error(`${operations.length} operations for ${pairs} pairs`)
    const usedBefore = cpuSeconds()
    const began = performance.now()
    for (const operation of operations) replica.apply(operation, theirs)
    const ms = performance.now() - began
    const cpu = cpuSeconds() - usedBefore
    return [
      { metric: 'apply', unit: 'µs', value: (ms * 1_000) / operations.length },
      { metric: 'cpu', unit: 'µs', value: (cpu * 1e6) / operations.length },
      peak(),
    ]
  },
  merge(replica, _job, file) {
    const state = file('theirs')
    const usedBefore = cpuSeconds()
    const began = performance.now()
    replica.merge(state)
    const mergedAt = performance.now()
    const cpu = cpuSeconds() - usedBefore
    const most = peak()
    const encodeBegan = performance.now()
    const merged = replica.encode()
    return [
      { metric: 'merge', unit: 'ms', value: mergedAt - began },
      { metric: 'cpu', unit: 'ms', value: cpu * 1_000 },
      most,
      { metric: 'encode', unit: 'ms', value: performance.now() - encodeBegan },
      bytes('mergedBytes', merged),
    ]
  },
}

/** Exactly the elements that must be there, no others. */
function check(replica: SetReplica, { kind, elements, pairs }: SetJob): void {
  const half = elements / 2
  const expected =
    kind === 'merge'
      ? { count: elements + half, element: (at: number) => elementOf(at < half ? at : at + half) }
      : { count: elements, element: (at: number) => windowElement(at + pairs, elements) }
  if (replica.size !== expected.count) throw new Error(`${replica.size} elements instead of ${expected.count}`)
  for (let at = 0; at < expected.count; at += 1)
    if (!replica.has(expected.element(at))) throw new Error(`the element ${expected.element(at)} is not there`)
}

/** What is added beyond the state's own elements is in neither of the two states that are merged. */
function windowElement(at: number, elements: number): string {
  return elementOf(at < elements ? at : at + elements)
}

function range(first: number, end: number): string[] {
  return Array.from({ length: end - first }, (_, at) => elementOf(first + at))
}

function peak(): Measure {
  return { metric: 'peak', unit: 'MiB', value: peakMiB() }
}

function bytes(metric: string, { length }: Uint8Array): Measure {
  return { metric, unit: 'B', value: length }
}
