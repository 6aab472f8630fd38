import { PlaitError } from '../base/error.ts'
import type { Writer } from '../crdt/dot.ts'
import type { Disk } from '../runtime/disk.ts'
import { readSmallFile, replaceSmallFile } from '../store/small-file.ts'
import type { GroupId } from './group-api.ts'

/** What a store has to remember of a group beside its feeds: everything else is derived from them. */
export interface GroupRecord {
  /** In which this node writes. */
  readonly feed: Writer
  /** When that feed was made, in ms since 1970. */
  readonly since: number
  /** The node whose key signs for the feed. */
  readonly node: string
  /** Who was there when it was joined: `plait://NODEID@HOST:PORT`. */
  readonly hosts: readonly string[]
  /** The sealed feed of the snapshot from which everything can be made again, in base32; entries before it are not here any more. */
  readonly base?: string
  /** Those of earlier snapshots, which are to be removed. */
  readonly superseded?: readonly string[]
}

/** Below the store's folder. */
const folder = 'groups'
const title = 'plait group 1'

export async function listGroups(disk: Disk): Promise<readonly GroupId[]> {
  const names = await disk.list(folder).catch(() => [])
  return names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length))
}

const suffix = '.group'

/** Undefined when the group is not here. Rejects with `CORRUPT` for a file that says nothing that can be understood. */
export async function readGroupRecord(disk: Disk, group: GroupId): Promise<GroupRecord | undefined> {
  const bytes = await readSmallFile(disk, `${folder}/${group}${suffix}`)
  if (bytes === undefined) return undefined
  const [first, second = ''] = new TextDecoder().decode(bytes).split('\n')
  const record = first === title ? parseRecord(second) : undefined
  if (record === undefined)
    throw new PlaitError('CORRUPT', `${folder}/${group}${suffix} in the store is damaged; restore it from a copy`)
  return record
}

export async function writeGroupRecord(disk: Disk, group: GroupId, record: GroupRecord): Promise<void> {
  await disk.makeDirectory(folder)
  await disk.syncDirectory('')
  const text = `${title}\n${JSON.stringify(record)}\n`
  await replaceSmallFile(disk, folder, `${group}${suffix}`, [new TextEncoder().encode(text)])
}

/** So many are remembered of those who were asked to let this node in, the last one first. */
const hostsMax = 16

/** With one more of those who were there. */
export function metBy(record: GroupRecord, host: string): GroupRecord {
  if (record.hosts.includes(host)) return record
  return { ...record, hosts: [host, ...record.hosts].slice(0, hostsMax) }
}

/** Where the view of a group is kept, below the store's folder. */
export function viewName(group: GroupId): string {
  return `${folder}/${group}.view`
}

function parseRecord(text: string): GroupRecord | undefined {
  try {
    const { feed, since, node, hosts, base, superseded } = JSON.parse(text) as Partial<
      Record<keyof GroupRecord, unknown>
    >
    const isWhole =
      typeof feed === 'string' && typeof node === 'string' && Number.isSafeInteger(since) && Array.isArray(hosts)
    if (!isWhole) return undefined
    const record = { feed, node, since: since as number, hosts: hosts.map(String) }
    return {
      ...record,
      ...(typeof base === 'string' && { base }),
      ...(Array.isArray(superseded) && { superseded: superseded.map(String) }),
    }
  } catch {
    return undefined
  }
}
