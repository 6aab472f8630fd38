/** A call of a traced program, where it begins or ends in the order of all. */
interface Call {
  readonly name: string
  readonly descriptor: number
  /** The beginning of what it was given. */
  readonly bytes: Uint8Array
  readonly begin: number
  readonly end: number
}

/** Reads what `strace -f -xx` has written of calls with a descriptor first. */
export function parseTrace(text: string): Call[] {
  const calls: Call[] = []
  const openByThread = new Map<string, Omit<Call, 'end'>>()
  for (const [index, line] of text.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const begun = openByThread.get(thread)
    if (rest.startsWith('<...') && begun !== undefined) {
      calls.push({ ...begun, end: index })
      openByThread.delete(thread)
      continue
    }
    const [, name, descriptor, hex = ''] = /^(\w+)\((\d+)(?:, "((?:\\x[0-9a-f]{2})*)")?/.exec(rest) ?? []
    if (name === undefined) continue
    const bytes = Uint8Array.from(hex.split('\\x').slice(1), (digits) => Number.parseInt(digits, 16))
    const call = { name, descriptor: Number(descriptor), bytes, begin: index }
    if (rest.endsWith('<unfinished ...>')) openByThread.set(thread, call)
    else calls.push({ ...call, end: index })
  }
  return calls.sort((one, other) => one.end - other.end)
}

export interface TraceSummary {
  readonly acknowledgements: number
  readonly syncs: number
  /** Acknowledgements that the program has written before the record was synced. */
  readonly early: readonly number[]
}

/**
 * Follows the writes of records, each batch known by the number in its first record, and the syncs of their files; and says which numbers
 * were acknowledged although no sync had begun and ended between the end of the write with them and the acknowledgement.
 */
export function summarizeTrace(calls: readonly Call[]): TraceSummary {
  const batches: { readonly first: number; readonly descriptor: number; readonly end: number; isSynced: boolean }[] = []
  const early: number[] = []
  let [acknowledgements, syncs] = [0, 0]
  for (const call of calls) {
    if (call.name === 'pwrite64') {
      const first = firstRecord(call.bytes)
      if (first !== undefined) batches.push({ first, descriptor: call.descriptor, end: call.end, isSynced: false })
    } else if (call.name === 'fdatasync') {
      syncs += 1
      for (const batch of batches) {
        batch.isSynced ||= batch.descriptor === call.descriptor && batch.end < call.begin
      }
    } else if (call.name === 'write' && call.descriptor === 1) {
      const id = /^acknowledged (\d+)\n/.exec(String.fromCharCode(...call.bytes))?.[1]
      if (id === undefined) continue
      acknowledgements += 1
      const batch = batches.findLast(({ first }) => first <= Number(id))
      if (batch?.isSynced !== true) early.push(Number(id))
    }
  }
  return { acknowledgements, syncs, early }
}

/** The number in the first record of a batch: behind CRC, length, kind 1 and a feed of one byte. */
function firstRecord(bytes: Uint8Array): number | undefined {
  if (bytes.length < 18 || bytes[8] !== 1) return undefined
  const id = new DataView(bytes.buffer).getFloat64(10)
  return Number.isSafeInteger(id) && id > 0 ? id : undefined
}
