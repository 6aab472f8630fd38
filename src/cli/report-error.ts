import { PlaitError } from '../base/error.ts'
import { jsonLine, printable } from './printable.ts'
import type { Terminal } from './terminal.ts'

export interface ReportOptions {
  readonly terminal: Terminal
  readonly json: boolean
}

/** One line that says what happened and what to do next; the stack only for who asks with PLAIT_DEBUG=1. */
export function reportError(error: unknown, options: ReportOptions): void {
  const { terminal, json } = options
  const message = error instanceof Error ? error.message : String(error)
  const code = PlaitError.is(error) ? error.code : 'UNEXPECTED'
  const text = PlaitError.is(error)
    ? message
    : `this should not have happened (${message}); run it again with PLAIT_DEBUG=1 and report what it prints`
  if (json) terminal.print(jsonLine({ event: 'error', code, message: text }))
  else terminal.note(`plait: ${printable(text)}`)
  if (process.env['PLAIT_DEBUG'] === '1') terminal.note(stackOf(error))
}

/** With the errors underneath. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const own = (error.stack ?? '').split('\n').map(printable).join('\n')
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own
}
