import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { randomFillSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryNetwork } from '../../src/link/memory/memory-transport.ts'
import { systemRuntime } from '../../src/runtime/system/system-runtime.ts'
import { Member } from './member.ts'
const base = mkdtempSync(join(tmpdir(), 'quick-'))
const network = new MemoryNetwork(systemRuntime())
// node test/drive/quick.ts FILES MIB [synced]
const [files = '0', mib = '0', synced = ''] = process.argv.slice(2)
let at = performance.now()
const lap = (what: string): void => {
  const now = performance.now()
  console.log(what, ((now - at) / 1000).toFixed(2))
  at = performance.now()
}
try {
  const ann = await Member.open({ base, network }, 'ann')
  for (let i = 0; i < Number(files); i += 1) {
    const d = ann.path(`d${i % 200}`)
    mkdirSync(d, { recursive: true })
    writeFileSync(join(d, `f${i}`), randomFillSync(new Uint8Array(1024 + (i % 7168))))
  }
  if (Number(mib) > 0) writeFileSync(ann.path('large'), randomFillSync(new Uint8Array(Number(mib) * 1048576)))
  lap('fill')
  await ann.create()
  lap('create')
  await ann.sync()
  lap('publish')
  const link = await ann.invite({ role: 'write' })
  const bob = await Member.open({ base, network }, 'bob')
  at = performance.now()
  await bob.join(link, { isSynced: synced === 'synced' })
  lap('join')
  await bob.drive.caughtUp()
  lap('caughtUp')
  await bob.sync()
  lap('fetched')
  console.log(bob.drive.status().progress, bob.drive.status().counts)
  await bob.sync()
  lap('nothing bob')
  await ann.sync()
  lap('nothing ann')
  await bob.close()
  lap('close bob')
  await ann.close()
  lap('close ann')
} finally {
  rmSync(base, { recursive: true, force: true })
}
