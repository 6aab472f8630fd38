import type { DrivePreview, PreviewStep } from '../../drive/preview.ts'
import { jsonLine, printable } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes } from '../units.ts'
import { holdText } from './drive-report.ts'

/** Says what a sync would do. */
export function reportPreview(preview: DrivePreview, terminal: Terminal, json: boolean): void {
  const { incoming, outgoing, problems, hold } = preview
  if (json) {
    for (const step of incoming) terminal.print(jsonLine({ event: 'incoming', ...step }))
    for (const step of outgoing) terminal.print(jsonLine({ event: 'outgoing', ...step }))
    for (const { path, reason } of problems) terminal.print(jsonLine({ event: 'problem', path, reason }))
    if (hold !== undefined) terminal.print(jsonLine({ event: 'hold', ...hold }))
    const bytes = bytesOf(incoming)
    return terminal.print(jsonLine({ event: 'preview', incoming: incoming.length, outgoing: outgoing.length, bytes }))
  }
  for (const step of incoming) terminal.print(`here:   ${stepText(step)}`)
  for (const step of outgoing) terminal.print(`there:  ${stepText(step)}`)
  for (const { path, reason } of problems) terminal.note(printable(`${path} ${reason}`))
  if (hold !== undefined) terminal.note(`would wait: ${holdText(hold)}`)
  if (incoming.length + outgoing.length === 0) return terminal.note('nothing would be done')
  const here = `${countOf(incoming.length, 'change')} here (${formatBytes(bytesOf(incoming))} of content)`
  terminal.note(`would be done: ${here}, ${countOf(outgoing.length, 'change')} there; nothing was done`)
}

function stepText({ kind, path, from, size }: PreviewStep): string {
  const bytes = size > 0 ? `  (${formatBytes(size)})` : ''
  const shown = from === undefined ? path : `${from} -> ${path}`
  return `${kind.padEnd(6)}  ${printable(shown)}${bytes}`
}

function bytesOf(steps: readonly PreviewStep[]): number {
  return steps.reduce((sum, { size }) => sum + size, 0)
}
