import { fileURLToPath } from 'node:url'
import { OrderProcess } from '../harness/order-process.ts'
import type { TopicOrders } from './order.ts'

const talkerFile = fileURLToPath(new URL('../peers/plait/talker.ts', import.meta.url))

/** A member of a network in a process of its own, as its parent sees it. */
export class TalkerProcess extends OrderProcess<TopicOrders> {
  constructor(name: string) {
    super(talkerFile, [], name)
  }
}
