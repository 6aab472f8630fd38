import { contentChunks } from './content-reader.ts'
import type { ContentOptions, ContentSources } from './content-reader.ts'
import type { ContentName } from './manifest-walk.ts'

/**
 * The bytes of a file in order, or of a range of it: of that only the pages and chunks are read that have bytes of it. What comes is the
 * caller's. Rejects as `contentChunks` does.
 */
export async function* contentBytes(
  content: ContentName,
  sources: ContentSources,
  options: ContentOptions,
): AsyncGenerator<Uint8Array, void> {
  const { start, end } = options.range ?? { start: 0, end: content.size }
  for await (const { bytes, offset } of contentChunks(content, sources, options)) {
    const from = Math.max(0, start - offset)
    const to = Math.min(bytes.length, end - offset)
    yield from === 0 && to === bytes.length ? bytes : bytes.slice(from, to)
  }
}
