import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { formatDriveLink } from '../../drive/drive-link.ts'
import { formatFeedId } from '../../feed/feed-id.ts'
import { formatFeedLink } from '../../feed/feed-link.ts'
import { createIdentity } from '../../identity/identity.ts'
import { run } from '../program.ts'
import { Terminal } from '../terminal.ts'

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'plait-feed-command-'))
  vi.stubEnv('XDG_STATE_HOME', base)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true })
})

class Listening extends Terminal {
  printed = ''
  noted = ''

  override print(line: string): void {
    this.printed += `${line}\n`
  }

  override note(text: string): void {
    this.noted += `${text}\n`
  }
}

const terminal = new Listening()

async function plait(...args: readonly string[]): Promise<{ code: number; printed: string; noted: string }> {
  terminal.printed = ''
  terminal.noted = ''
  const code = await run(['feed', ...args], terminal)
  // A command line that cannot be understood makes nothing.
  expect(existsSync(join(base, 'plait'))).toBe(false)
  return { code, printed: terminal.printed, noted: terminal.noted }
}

it('explains itself', async () => {
  const { code, printed } = await plait('--help')
  expect([code, printed]).toEqual([0, expect.stringMatching(/Usage: plait feed .*Example:/s)])
  for (const command of ['create', 'append', 'cat', 'follow', 'info', 'serve', 'clone']) {
    expect(printed).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect((await plait(command, '--help')).printed).toMatch(new RegExp(`Usage: plait feed ${command} .*Example:`, 's'))
  }
})

it.each([
  [[]],
  [['nonsense']],
  [['cat']],
  [['append', '--blocks', '0']],
  [['append', '--blocks', '1048577']],
  [['cat', 'feed:', '--from', '-1']],
  [['clone', 'x', '--wait', '0']],
])('does not understand %j', async (args) => {
  expect(await plait(...args)).toMatchObject({ code: 2, printed: '' })
})

it.each([
  [['append', '--lines', '--whole'], /^plait: --lines, --blocks and --whole exclude each other/],
  [['append', '--blocks', '9', '--whole'], /exclude each other/],
  [['follow', 'feed:', '--from', '1', '--tail', '1'], /^plait: --from and --tail both say where to begin/],
  [['serve', '--peer', 'nonsense'], /"nonsense" cannot be read: it does not begin with plait:/],
  [['serve', '--peer', `plait://${createIdentity().id}`], /is not plait:\/\/NODEID@HOST:PORT/],
])('says what is wrong with %j', async (args, message) => {
  expect(await plait(...args)).toEqual({ code: 1, printed: '', noted: expect.stringMatching(message) as string })
})

it('says what is wrong with a link, in words and as JSON, and never the link', async () => {
  const { id: nodeId, publicKey } = createIdentity()
  const addresses = [{ host: '127.0.0.1', port: 1 }]
  const link = formatFeedLink({ nodeId, addresses, feedId: formatFeedId({ name: publicKey, isSealed: false }) })
  const shared = formatDriveLink({ nodeId, addresses, driveId: nodeId, role: 'read', secret: publicKey })
  const wrong: readonly [string, RegExp][] = [
    [link.slice(0, -3), /^plait: this link to a feed is cut off at the end/],
    [`${link}a`, /^plait: this link to a feed is mistyped/],
    [shared, /^plait: this is not a link to a feed; ask for the one/],
    ['https://example.org', /^plait: this is not a link to a feed: one begins with plait/],
  ]
  for (const command of ['cat', 'follow', 'info', 'clone'])
    for (const [text, message] of wrong) {
      const { code, noted } = await plait(command, text)
      expect([code, noted]).toEqual([1, expect.stringMatching(message)])
      expect(noted).not.toContain(link.slice(-40, -10))
      const json = await plait(command, text, '--json')
      expect([json.noted, JSON.parse(json.printed)]).toEqual(['', expect.objectContaining({ code: 'INVALID_LINK' })])
    }
})
