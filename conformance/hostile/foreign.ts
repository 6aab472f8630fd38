import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A key and what is presented for it: a certificate, or one with the chain that leads to its authority. */
export interface ForeignCertificate {
  readonly name: string
  readonly key: string
  readonly cert: string
}

/** Certificates that OpenSSL finds in order and plait does not, made by the program `openssl`; or why there are none. */
export async function makeForeign(): Promise<readonly ForeignCertificate[] | string> {
  const found = await run('openssl', ['version']).catch(() => undefined)
  if (found === undefined) return 'the program openssl is not installed'
  const folder = await mkdtemp(join(tmpdir(), 'plait-foreign-'))
  const openssl = (command: string): Promise<unknown> => run('openssl', command.split(' '), { cwd: folder })
  const text = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
  try {
    await openssl('req -x509 -newkey ed25519 -nodes -keyout ca.key -out ca.crt -subj /CN=authority -days 2')
    await openssl('req -newkey ed25519 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf')
    await openssl('x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -set_serial 2 -days 2 -out leaf.crt')
    await openssl('req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.crt -subj /CN=rsa -days 2')
    await openssl('req -newkey rsa:2048 -nodes -keyout rsaleaf.key -out rsaleaf.csr -subj /CN=rsaleaf')
    await openssl('x509 -req -in rsaleaf.csr -CA ca.crt -CAkey ca.key -set_serial 3 -days 2 -out rsaleaf.crt')
    const authority = await text('ca.crt')
    return [
      { name: 'signed', key: await text('leaf.key'), cert: await text('leaf.crt') },
      { name: 'signed, with its chain', key: await text('leaf.key'), cert: (await text('leaf.crt')) + authority },
      { name: 'RSA', key: await text('rsa.key'), cert: await text('rsa.crt') },
      {
        name: 'RSA signed, with its chain',
        key: await text('rsaleaf.key'),
        cert: (await text('rsaleaf.crt')) + authority,
      },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}
