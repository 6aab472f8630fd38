/** A table of the page: its head, and its rows. */
export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const marked = /^<!-- table: ([\w ]+) -->\n[^]*?^<!-- end of table -->$/gm

/**
 * `page` with each table between its marks, and nothing else changed. Throws when there is a mark for a table that is not there,
 * or a table that has no place or two.
 */
export function fillTables(page: string, tablesByName: ReadonlyMap<string, Table>): string {
  const placed = new Set<string>()
  const filled = page.replaceAll(marked, (_all, name: string) => {
    const table = tablesByName.get(name)
    if (table === undefined) throw new Error(`there is no table called ${name}`)
    if (placed.has(name)) throw new Error(`the table ${name} has two places`)
    placed.add(name)
    return `<!-- table: ${name} -->\n\n${formatTable(table)}\n\n<!-- end of table -->`
  })
  const homeless = [...tablesByName.keys()].filter((name) => !placed.has(name))
  if (homeless.length > 0) throw new Error(`no place is marked for: ${homeless.join(', ')}`)
  return filled
}

/** As the formatter of the repository would write it. */
function formatTable({ head, rows }: Table): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => cell(row, column).length)))
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => cell(row, column).padEnd(width)).join(' | ')} |`
  const ruler = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(head), ruler, ...rows.map(line)].join('\n')
}

function cell(row: readonly string[], column: number): string {
  const text = row[column]
  if (text === undefined || text.includes('|')) throw new Error(`a cell that cannot be written: ${String(text)}`)
  return text
}
