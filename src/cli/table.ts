import { printable } from './printable.ts'

/** Rows under a heading, in columns as wide as their widest cell; columns of figures stand to the right. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  figures: readonly number[] = [],
): readonly string[] {
  const cells = [heading, ...rows].map((row) => row.map(printable))
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return figures.includes(column) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
