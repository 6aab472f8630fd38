import { expect, it } from 'vitest'
import { writerFromKey } from '../../crdt/dot.ts'
import { MemoryView } from '../../store/memory-view.ts'
import type { Agreed } from '../plan/item.ts'
import { AgreementStore } from './agreement-store.ts'

const [ann, bob] = [1, 2].map((byte) => writerFromKey(new Uint8Array(32).fill(byte))) as [string, string]

function agreedAt(path: string): Agreed {
  const version = {
    kind: 'file' as const,
    mode: 0o644,
    mtimeNs: -5n,
    size: 3,
    root: new Uint8Array(32).fill(7),
    target: '',
  }
  const claims = [
    { id: { writer: ann, number: 1 }, life: [{ writer: ann, number: 1 }], versions: [{ writer: bob, number: 900 }] },
    { id: { writer: bob, number: 2 }, life: [], versions: [] },
  ]
  const disk = { kind: 'file' as const, mode: 0o640, size: 3, mtimeNs: 9n ** 18n, ctimeNs: 12n, inode: 2n ** 63n }
  return { path, name: 'name', version, claims, isCopy: true, disk }
}

it('gives back what was saved, and writes what has changed', async () => {
  const view = new MemoryView()
  const store = await AgreementStore.open(view)
  const [a, b] = [agreedAt('a'), agreedAt('d/b')]
  await store.save(new Map([a, b].map((agreed) => [agreed.path, agreed])))
  expect([...(await AgreementStore.open(view)).agreement.values()]).toEqual([a, b])
  await store.save(new Map([['c', { ...b, path: 'c' }]]))
  expect([...(await AgreementStore.open(view)).agreement.keys()]).toEqual(['c'])
})
