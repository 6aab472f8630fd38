// Writes the tables of PROTOCOL.md that follow from the code: `npm run protocol`. A test fails when the page has others.
import { readFileSync, writeFileSync } from 'node:fs'
import { fillTables } from './protocol/fill.ts'
import { protocolTables } from './protocol/tables.ts'

const path = new URL('../PROTOCOL.md', import.meta.url)
writeFileSync(path, fillTables(readFileSync(path, 'utf8'), protocolTables()))
