// Writes the tables of PROTOCOL.md, MAILBOX.md and DRIVE.md that follow from the code: `npm run protocol`. A test fails when the pages have
// others.
import { readFileSync, writeFileSync } from 'node:fs'
import { conflictTables } from './protocol/conflict-tables.ts'
import { mailboxTables } from './protocol/crdt-tables.ts'
import { fillTables } from './protocol/fill.ts'
import type { Table } from './protocol/fill.ts'
import { protocolTables } from './protocol/tables.ts'

fill('PROTOCOL.md', protocolTables())
fill('MAILBOX.md', mailboxTables())
fill('DRIVE.md', conflictTables())

function fill(name: string, tablesByName: ReadonlyMap<string, Table>): void {
  const path = new URL(`../${name}`, import.meta.url)
  writeFileSync(path, fillTables(readFileSync(path, 'utf8'), tablesByName))
}
