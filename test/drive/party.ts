import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { MemoryNetwork } from '../../src/link/memory/memory-transport.ts'
import { systemRuntime } from '../../src/runtime/system/system-runtime.ts'
import { Member } from './member.ts'

/** The members of a drive in a test, in a place of their own that is there while the test runs. */
export interface Party {
  readonly open: (name: string) => Promise<Member>
  /** Closes the store of a member, which does not come back. */
  readonly leave: (member: Member) => Promise<void>
  /** Closes the store of a member, as at the end of a process, and opens it again. */
  readonly restart: (member: Member, name: string) => Promise<Member>
}

/** For the tests of one file: each begins with nobody. */
export function useParty(): Party {
  let base = ''
  let network: MemoryNetwork
  let members: Member[] = []
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'plait-drive-'))
    network = new MemoryNetwork(systemRuntime())
    members = []
  })
  afterEach(async () => {
    for (const member of members.reverse()) await member.close()
    rmSync(base, { recursive: true, force: true })
  })
  const open = async (name: string): Promise<Member> => {
    const member = await Member.open({ base, network }, name)
    members.push(member)
    return member
  }
  const leave = async (member: Member): Promise<void> => {
    members = members.filter((one) => one !== member)
    await member.close()
  }
  return {
    open,
    leave,
    async restart(member, name) {
      await leave(member)
      return open(name)
    },
  }
}
