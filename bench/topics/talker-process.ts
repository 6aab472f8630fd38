import { fileURLToPath } from 'node:url'
import { OrderProcess } from '../harness/order-process.ts'
import type { TopicOrders } from './order.ts'

/** What V8 takes for what was made a moment ago grows by tens of MiB at a time, whenever that is, and would hide what is looked for. */
const execArgv = ['--expose-gc', '--max-semi-space-size=2']
const talkerFile = fileURLToPath(new URL('../peers/plait/talker.ts', import.meta.url))

/** A member of a network in a process of its own, as its parent sees it. */
export class TalkerProcess extends OrderProcess<TopicOrders> {
  constructor(name: string) {
    super(talkerFile, [], name, execArgv)
  }
}
