import { fileURLToPath } from 'node:url'
import { OrderProcess } from '../harness/order-process.ts'
import type { MemberOrders } from './order.ts'

const memberFile = fileURLToPath(new URL('../peers/plait/group-member.ts', import.meta.url))

/** A member of a group in a process of its own, as its parent sees it. */
export class MemberProcess extends OrderProcess<MemberOrders> {
  constructor(name: string, execArgv?: readonly string[]) {
    super(memberFile, [], name, execArgv)
  }
}

/** Runs something with a process for each of these members, which are gone when it is done. */
export async function withMembers<Result>(
  names: readonly string[],
  run: (...members: MemberProcess[]) => Promise<Result>,
): Promise<Result> {
  const members = names.map((name) => new MemberProcess(name))
  try {
    return await run(...members)
  } finally {
    await Promise.all(members.map((member) => member.end()))
  }
}
