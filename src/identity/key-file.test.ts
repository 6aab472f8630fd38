import { spawn } from 'node:child_process'
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openKeyFile } from './key-file.ts'

const code = (name: string, facts: object = {}): unknown =>
  expect.objectContaining({ code: name, facts: expect.objectContaining(facts) })

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plait-key-'))
  file = join(folder, 'node.key')
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

describe('key file', () => {
  it('is made when missing, private, without leftovers, and opens again as the same node', async () => {
    const first = await openKeyFile(file)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(`${file}.lock`)).mode & 0o777).toBe(0o600)
    first.close()
    expect((await readdir(folder)).sort()).toEqual(['node.key', 'node.key.lock'])
    const second = await openKeyFile(file)
    expect(second.id).toBe(first.id)
    second.close()
  })

  it('has one winner among many starters', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 16 }, () => openKeyFile(file)))
    const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    expect(winners).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toEqual(code('KEY_IN_USE'))
    winners[0]!.value.close()
  })

  it('is refused a second time in one process, also by way of a symbolic link, and the first stays locked', async () => {
    const first = await openKeyFile(file)
    await symlink(file, join(folder, 'other.key'))
    await expect(openKeyFile(file)).rejects.toEqual(code('KEY_IN_USE', { pid: process.pid }))
    await expect(openKeyFile(join(folder, 'other.key'))).rejects.toEqual(code('KEY_IN_USE', { pid: process.pid }))
    expect(await openElsewhere()).toBe(`KEY_IN_USE ${process.pid}`)
    first.close()
    first.close()
    expect(await openElsewhere()).toBe(first.id)
  })

  it('is free again after kill -9 of its holder, whose pid it names before', async () => {
    const holder = startElsewhere('setInterval(() => {}, 1000)')
    const [id] = await once(holder.stdout, 'data')
    await expect(openKeyFile(file)).rejects.toEqual(code('KEY_IN_USE', { pid: holder.pid }))
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    const next = await openKeyFile(file)
    expect(next.id).toBe(String(id).trim())
    next.close()
  })

  it('is refused with the chmod to run when others have access', async () => {
    const first = await openKeyFile(file)
    first.close()
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      await chmod(file, mode)
      await expect(openKeyFile(file)).rejects.toEqual(code('KEY_FILE', { mode: mode.toString(8) }))
      await expect(openKeyFile(file)).rejects.toThrow(`chmod 600 ${file}`)
    }
    await chmod(file, 0o400)
    const again = await openKeyFile(file)
    expect(again.id).toBe(first.id)
    again.close()
  })

  it('is refused when it belongs to somebody else', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('giving a file away needs root')
    ;(await openKeyFile(file)).close()
    await chown(file, 12345, 12345)
    await expect(openKeyFile(file)).rejects.toEqual(code('KEY_FILE', { owner: 12345 }))
    return undefined
  })

  it('is refused when it holds something else, and kept', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString()
    for (const content of ['', 'nonsense', rsa, 'x'.repeat(100_000)]) {
      await writeFile(file, content, { mode: 0o600 })
      await expect(openKeyFile(file)).rejects.toEqual(code('KEY_FILE'))
      expect(await readFile(file, 'utf8')).toBe(content)
    }
    await rm(file)
    await mkdir(file)
    await expect(openKeyFile(file)).rejects.toEqual(code('KEY_FILE'))
    await expect(openKeyFile(join(folder, 'missing', 'node.key'))).rejects.toEqual(code('KEY_FILE', { code: 'ENOENT' }))
  })

  it('is one node in two files when copied, which no lock can see', async () => {
    const first = await openKeyFile(file)
    const copy = join(folder, 'copy.key')
    await copyFile(file, copy)
    const second = await openKeyFile(copy)
    expect(second.id).toBe(first.id)
    first.close()
    second.close()
  })
})

function startElsewhere(then: string) {
  const script = `
    import { openKeyFile } from ${JSON.stringify(new URL('./key-file.ts', import.meta.url).href)}
    try { console.log((await openKeyFile(${JSON.stringify(file)})).id) }
    catch (error) { console.log(error.code, error.facts.pid) }
    ${then}`
  return spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function openElsewhere(): Promise<string> {
  const child = startElsewhere('')
  let output = ''
  child.stdout.on('data', (bytes) => (output += String(bytes)))
  await once(child, 'close')
  return output.trim()
}
