import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')

/** The cells of the first table of PROTOCOL.md whose head begins with these titles. */
export function tableOf(...head: readonly string[]): string[][] {
  const [first] = tablesOf(...head)
  if (first === undefined) throw new Error(`PROTOCOL.md has no table with the head ${head.join(', ')}`)
  return first
}

/** All tables with this head, one after the other. */
export function tablesOf(...head: readonly string[]): string[][][] {
  const lines = page.split('\n')
  return lines.flatMap((line, start) => {
    const cells = cellsOf(line)
    if (!head.every((title, column) => cells[column] === title)) return []
    const length = lines.slice(start).findIndex((one) => !one.startsWith('|'))
    return [lines.slice(start + 2, start + length).map(cellsOf)]
  })
}

function cellsOf(line: string): string[] {
  const cells = line.startsWith('|') ? line.split('|').slice(1, -1) : []
  return cells.map((cell) => cell.trim())
}
