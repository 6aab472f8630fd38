import { it } from 'vitest'
import { playGroup, debug } from './play.ts'
it('x', () => { try { playGroup(Number(process.env['SEED'])) } finally {
  for (const site of debug.sites) { 
    console.log(site.identity.id.slice(0,5), site.writer.slice(0,4), site.reasons.map(x=>x.replace(/[a-z2-7]{48}/g, '')))
    const m = site.machine
    console.log('stable', m.order.history.stable.join(' '), m.order.feeds.map(f=>f.writer.slice(0,4)).join(' '), [...m.roster.members.values()].map(x=>x.node.slice(0,4)+':'+x.feeds.map(f=>f.slice(0,4)+'='+(m.order.feed(f)&&m.order.history.row(m.order.feed(f)!.place).join('/'))).join('+')+(x.isParked?'P':'')+(x.isRemoved?'R':'')).join(', '))
  }
}})
