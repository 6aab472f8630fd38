import { versionSchema } from '../../src/drive/version-schema.ts'
import type { Table } from './fill.ts'
import { fieldsOf, plainTable } from './group-tables.ts'

/** The tables of drives, by the name in their marks. */
export function driveTables(): readonly (readonly [name: string, table: Table])[] {
  return [['drive versions', plainTable(fieldsOf(versionSchema))]]
}
