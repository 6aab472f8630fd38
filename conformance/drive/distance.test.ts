import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeTree, differences } from '../../scripts/demo/tree-description.ts'
import { Proxy } from '../support/proxy.ts'
import { makePlace, runClone, runPlait, startShare, type Place } from './place.ts'

const roundTripMs = 50
const cloneMs = 4_000
/** TCP, TLS, and both hellos with the last word of the chair. */
const handshakeRoundTrips = 4
const namesRoundTrips = 3

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
  return { link: link.replace(`:${port}`, `:${proxy.port}`), proxy }
}

it('D3b: 1,000 small files at 50 ms round trip are cloned in 4 s', async () => {
  const place = makePlace()
  fill(place, 1_000)
  const sharing = await startShare(place)
  const { link, proxy } = await faraway(sharing.link, sharing.port)
  const began = performance.now()
  const { code } = await runClone(place, link)
  const tookMs = performance.now() - began
  expect(code).toBe(0)
  expect(proxy.taken).toBeGreaterThan(0)
  expect(differences(describeTree(place.source), describeTree(place.target))).toEqual([])
  expect(tookMs).toBeLessThan(cloneMs)
})

it('D3b: the names of a folder of 10,000 files that is far away come in 3 round trips from ready', async () => {
  const place = makePlace()
  fill(place, 10_000)
  const sharing = await startShare(place)
  const { link } = await faraway(sharing.link, sharing.port)
  const listed = async (from: string): Promise<number> => {
    const began = performance.now()
    const { code, stdout } = await runPlait(place, ['ls', from])
    expect([code, stdout.split('\n').filter((line) => line.includes('/f')).length]).toEqual([0, 10_000])
    return performance.now() - began
  }
  const near = Math.min(await listed(sharing.link), await listed(sharing.link))
  const far = Math.min(await listed(link), await listed(link))
  expect((far - near) / roundTripMs).toBeLessThan(handshakeRoundTrips + namesRoundTrips)
})
