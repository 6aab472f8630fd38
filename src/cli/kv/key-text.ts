import type { KeyChange } from '../control/group-requests.ts'
import { jsonLine, printable } from '../printable.ts'

/** `KEY`, a tab, and the value, on one line; the key alone when it has no value any more. */
export function keyLine({ key, value }: KeyChange): string {
  if (value === undefined) return printable(key)
  const text = textOf(value)
  return `${printable(key)}\t${text === undefined ? `(${Buffer.from(value, 'base64').length} bytes)` : printable(text)}`
}

/** The value as `text`; what is not UTF-8 as `base64`. */
export function keyJson({ key, value, from }: KeyChange, facts: Readonly<Record<string, unknown>> = {}): string {
  const event = value === undefined ? 'deleted' : 'set'
  return jsonLine({ event, ...facts, key, ...(value === undefined ? {} : valueJson(value)), from })
}

export function valueJson(value: string): { readonly text: string } | { readonly base64: string } {
  const text = textOf(value)
  return text === undefined ? { base64: value } : { text }
}

function textOf(base64: string): string | undefined {
  try {
    return strictUtf8.decode(Buffer.from(base64, 'base64'))
  } catch {
    return undefined
  }
}

/** With its byte order mark, if it has one. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
