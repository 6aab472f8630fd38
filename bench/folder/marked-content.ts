/** What a writer has written: it says of itself who wrote it and as which of theirs, and the rest follows from that. */
export function markedContent(mark: string, bytes: number): Uint8Array {
  const head = new TextEncoder().encode(`${mark} ${bytes}\n`)
  const content = new Uint8Array(Math.max(bytes, head.length))
  let state = 0
  for (const code of mark) state = (Math.imul(state, 31) + (code.codePointAt(0) ?? 0)) >>> 0
  for (let at = 0; at < content.length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    content[at] = state >>> 24
  }
  content.set(head)
  return content
}

/** Whose it is; undefined when it is torn or of nobody. */
export function markOf(content: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(content.subarray(0, headBytesMost)).split('\n')[0] ?? ''
  const [mark, text] = head.split(' ')
  const bytes = Number(text)
  if (mark === undefined || !Number.isSafeInteger(bytes) || bytes < 0 || bytes > content.length) return undefined
  return Buffer.compare(markedContent(mark, bytes), content) === 0 ? mark : undefined
}

const headBytesMost = 64
