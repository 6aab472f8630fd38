import { rmSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { bytesEqual, emptyBytes } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { prefixEnd } from '../view.ts'
import type { View, ViewChange, ViewEntry, ViewRange, ViewSource } from '../view.ts'
import { createEntries, statements } from './view-statements.ts'

/**
 * Opens the view in a file of SQLite, or makes it. When it is damaged, of another format or another log it begins from nothing again:
 * all of it is in the log.
 */
export function openSqliteView(file: string, source: ViewSource): View {
  try {
    const view = new SqliteView(file, source)
    if (view.isUsable) return view
    view.end()
  } catch (error) {
    if (!isSqliteError(error)) throw error
  }
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
  return new SqliteView(file, source)
}

class SqliteView implements View {
  readonly isUsable: boolean
  cursor: number
  readonly #database: DatabaseSync
  readonly #statements: Readonly<Record<keyof typeof statements, StatementSync>>
  readonly #move: StatementSync

  constructor(file: string, { logId, logEnd, format }: ViewSource) {
    const database = new DatabaseSync(file)
    this.#database = database
    try {
      // Not synced at each commit: after a power cut the last transactions may be gone, their cursors with them.
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
      database.exec(
        `CREATE TABLE IF NOT EXISTS source (log BLOB NOT NULL, format INTEGER NOT NULL, cursor INTEGER NOT NULL); ${createEntries}`,
      )
      const found = database.prepare('SELECT log, format, cursor FROM source').get() as FoundSource | undefined
      if (found === undefined) database.prepare('INSERT INTO source VALUES (?, ?, 0)').run(logId, format)
      this.isUsable =
        found === undefined || (bytesEqual(found.log, logId) && found.format === format && found.cursor <= logEnd)
      this.cursor = found?.cursor ?? 0
      this.#statements = prepareAll(database)
      this.#move = database.prepare('UPDATE source SET cursor = ?')
    } catch (error) {
      database.close()
      throw error
    }
  }

  async read(table: string, key: Uint8Array): Promise<Uint8Array | undefined> {
    const row = attempt(() => this.#statements.read.get(table, key)) as { value: Uint8Array } | undefined
    return row?.value
  }

  async entries(table: string, { from, to, limit }: ViewRange = {}): Promise<ViewEntry[]> {
    const low = from ?? emptyBytes
    const countMax = limit ?? -1
    const { range, rangeToEnd } = this.#statements
    const rows = attempt(() =>
      to === undefined ? rangeToEnd.all(table, low, countMax) : range.all(table, low, to, countMax),
    )
    return rows.map((row) => ({ key: row['key'] as Uint8Array, value: row['value'] as Uint8Array }))
  }

  async transact(cursor: number, changes: readonly ViewChange[]): Promise<void> {
    attempt(() => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        for (const { table, key, value, isPrefix } of changes) {
          if (isPrefix === true) this.#removeRange(table, key)
          else if (value === undefined) this.#statements.remove.run(table, key)
          else this.#statements.put.run(table, key, value)
        }
        this.#move.run(cursor)
        this.#database.exec('COMMIT')
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
        throw error
      }
    })
    this.cursor = cursor
  }

  async close(): Promise<void> {
    this.end()
  }

  #removeRange(table: string, prefix: Uint8Array): void {
    const end = prefixEnd(prefix)
    if (end === undefined) this.#statements.removeToEnd.run(table, prefix)
    else this.#statements.removeRange.run(table, prefix, end)
  }

  end(): void {
    if (this.#database.isOpen) this.#database.close()
  }
}

function prepareAll(database: DatabaseSync): Record<keyof typeof statements, StatementSync> {
  return {
    read: database.prepare(statements.read),
    range: database.prepare(statements.range),
    rangeToEnd: database.prepare(statements.rangeToEnd),
    put: database.prepare(statements.put),
    remove: database.prepare(statements.remove),
    removeRange: database.prepare(statements.removeRange),
    removeToEnd: database.prepare(statements.removeToEnd),
  }
}

interface FoundSource {
  readonly log: Uint8Array
  readonly format: number
  readonly cursor: number
}

function attempt<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (!isSqliteError(error)) throw error
    const full = error.errcode === sqliteFull
    const message = full ? 'the disk is full; make room and try again' : `a view failed: ${error.message}`
    throw new PlaitError(full ? 'NO_SPACE' : 'FILE_FAILED', message, { cause: error })
  }
}

function isSqliteError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && 'errcode' in error
}

const sqliteFull = 13
