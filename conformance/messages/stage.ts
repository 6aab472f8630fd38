import { fileURLToPath } from 'node:url'
import { createNode, messenger, type Messenger, type MessengerOptions, type PlaitNode } from 'plait'
import { onTestFinished } from 'vitest'
import { startProgram, type Program } from '../support/process.ts'

/** Another process that serves messages, and a messenger here that speaks with it. */
export interface Stage {
  readonly far: Program
  /** Where the far end's services are, without their names. */
  readonly address: string
  readonly node: PlaitNode
  readonly messages: Messenger
}

export type Counters = Readonly<Record<string, number>>

/** The value that so much of them, 0 to 1, do not exceed. */
export function percentile(values: readonly number[], part: number): number {
  return values.toSorted((less, more) => less - more)[Math.ceil(values.length * part) - 1] ?? Number.NaN
}

export async function stage(options: MessengerOptions = {}, service: string = 'messages'): Promise<Stage> {
  const far = startProgram(fileURLToPath(new URL('./far.ts', import.meta.url)))
  const [, address = ''] = await far.line(/^listening (.+)$/)
  const node = await createNode({ resumeMs: 2_000 })
  onTestFinished(() => node.abort())
  const circuit = await node.peer('near').open(`${address}/${service}`)
  return { far, address, node, messages: messenger(circuit, options) }
}

export function countersOf(node: PlaitNode): Counters {
  return node.stats().sections['messages'] as Counters
}
