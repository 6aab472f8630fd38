/** The table of all entries of a view: sorted by the names of its tables and then by keys. */
export const createEntries =
  'CREATE TABLE IF NOT EXISTS entries (name TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (name, key)) WITHOUT ROWID'

/**
 * What is asked of it. None has a condition that may be absent: `? IS NULL OR key < ?` is no bound to SQLite, which then looks at
 * everything behind the first key.
 */
export const statements = {
  read: 'SELECT value FROM entries WHERE name = ? AND key = ?',
  range: 'SELECT key, value FROM entries WHERE name = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?',
  rangeToEnd: 'SELECT key, value FROM entries WHERE name = ? AND key >= ? ORDER BY key LIMIT ?',
  put: 'INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  remove: 'DELETE FROM entries WHERE name = ? AND key = ?',
  removeRange: 'DELETE FROM entries WHERE name = ? AND key >= ? AND key < ?',
  removeToEnd: 'DELETE FROM entries WHERE name = ? AND key >= ?',
} as const
