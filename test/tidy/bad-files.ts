import type { Rule } from './rule.ts'
import type { SourceFile } from './tree.ts'
import { barrels, direction, extensions, layersOnly } from './import-rules.ts'
import { noGetPrefix, unitsLast, vagueNames } from './name-rules.ts'
import { exactVersions, lockedAddresses } from './package-rules.ts'
import { leftovers, longLines, machinePaths, skippedTests, sleeps } from './text-rules.ts'

/** Each rule with files that it must refuse, and with their closest neighbours, which it must let pass. */
export interface Judged {
  readonly rule: Rule
  readonly bad: readonly SourceFile[]
  readonly good: readonly SourceFile[]
}

const file = (path: string, text: string): SourceFile => ({ path, text })

export const judged: readonly Judged[] = [
  {
    rule: direction,
    bad: [
      file('src/wire/frame.ts', "import { Session } from '../session/session.ts'\n"),
      file('src/wire/frame.ts', "import type { Session } from '../session/session.ts'\n"),
      file('src/base/bytes.ts', "const later = await import('../cli/main.ts')\n"),
      file('src/link/tcp/tcp-link.ts', "import '../../node/node.ts'\n"),
      file('src/runtime/system/disk.ts', "import {\n  first,\n  second,\n} from '../../wire/frame.ts'\n"),
      file('src/node/node.ts', "export type { Pair } from '../testing/pair.ts'\n"),
      file('src/testing/pair.ts', "import { main } from '../cli/program.ts'\n"),
      file('src/index.ts', "export { main } from './cli/program.ts'\n"),
      file('src/node/node.ts', "import { root } from '../../test/tidy/tree.ts'\n"),
    ],
    good: [
      file('src/session/session.ts', "import type { Frame } from '../wire/frame.ts'\n"),
      file(
        'src/link/tcp/tcp-link.ts',
        "import type { Link } from '../link.ts'\nimport { assert } from '../../base/assert.ts'\n",
      ),
      file('src/testing/pair.ts', "import { Session } from '../session/session.ts'\n"),
      file('src/cli/program.ts', "import { pair } from '../testing/pair.ts'\n"),
      file('src/index.ts', "export { createNode } from './node/node.ts'\n"),
    ],
  },
  {
    rule: layersOnly,
    bad: [file('src/shared/list.ts', ''), file('src/thing.ts', '')],
    good: [file('src/index.ts', ''), file('src/link/tcp/tcp-link.ts', '')],
  },
  {
    rule: barrels,
    bad: [
      file('src/wire/index.ts', 'export const one = 1\n'),
      file('src/wire/all.ts', "export * from './frame.ts'\n"),
      file('src/wire/all.ts', "// All of it.\nexport {\n  frame,\n} from './frame.ts'\nexport { a } from './a.ts'\n"),
      file('src/wire/all.ts', "export type { Frame } from './frame.ts'\n"),
    ],
    good: [
      file('src/index.ts', "export * from './wire/frame.ts'\n"),
      file('src/wire/frame.ts', "export type { Args } from './args.ts'\nexport interface Frame {}\n"),
      file(
        'src/wire/frame.ts',
        "import { a } from './a.ts'\nexport const b = Array.from(a)\nexport function from(): void {}\n",
      ),
    ],
  },
  {
    rule: extensions,
    bad: [
      file('src/wire/frame.ts', "import { a } from './a'\n"),
      file('test/a.test.ts', "import { a } from '../src/a.js'\n"),
    ],
    good: [file('src/wire/frame.ts', "import { a } from './a.ts'\nimport { it } from 'vitest'\n")],
  },
  {
    rule: noGetPrefix,
    bad: [
      file('src/wire/frame.ts', 'export function getFrame(): void {}\n'),
      file('src/wire/frame.ts', 'const getFrame = (): number => 1\n'),
      file('src/wire/frame.ts', 'class Frame {\n  async getBody(n: number): Promise<void> {}\n}\n'),
      file('src/wire/frame.ts', 'interface Frame {\n  getBody(map: (n: number) => void): void\n}\n'),
    ],
    good: [
      file('src/wire/frame.ts', 'class Frame {\n  get body(): number {\n    return view.getUint8(0)\n  }\n}\n'),
      file('src/wire/frame.ts', 'const getter = 1\nfunction getaway(): void {}\n  getRandomValues(bytes)\n'),
    ],
  },
  {
    rule: vagueNames,
    bad: [
      file('src/wire/frame.ts', 'class FrameManager {}\n'),
      file('src/wire/frame.ts', 'export function frameHelper(): void {}\n'),
      file('src/wire/frame-utils.ts', ''),
      file('test/helpers/pair.ts', ''),
      file('src/base/util.ts', ''),
    ],
    good: [file('src/wire/frame.ts', 'const utilization = 1\nconst managerless = 2\n')],
  },
  {
    rule: unitsLast,
    bad: [
      file('src/node/dial.ts', 'interface A { readonly timeout: number }\n'),
      file('src/node/dial.ts', 'function wait(retryDelay?: number): void {}\n'),
    ],
    good: [file('src/node/dial.ts', 'interface A { readonly timeoutMs: number; readonly delays: number }\n')],
  },
  {
    rule: leftovers,
    bad: [
      file('src/wire/frame.ts', '// TODO: the rest\n'),
      file('bench/run.ts', '// FIXME\n'),
      file('README.md', 'Sync is not implemented.\n'),
    ],
    good: [file('src/wire/frame.ts', 'const todos = 1\n')],
  },
  {
    rule: skippedTests,
    bad: [
      file('src/wire/frame.test.ts', "it.skip('works', () => {})\n"),
      file('src/wire/frame.test.ts', "describe.only('works', () => {})\n"),
      file('test/a.test.ts', "test.todo('works')\n"),
      file('test/a.test.ts', "it.skipIf(root)('works', () => {})\n"),
      file('conformance/a.test.ts', "it('works', { retry: 2 }, () => {})\n"),
    ],
    good: [file('conformance/a.test.ts', "it('works', (context) => context.skip('needs root'))\n")],
  },
  {
    rule: machinePaths,
    bad: [
      file('README.md', 'See /home/ann/plait.\n'),
      file('src/wire/frame.ts', "const path = '/Users/ann'\n"),
      file('bench/notes.txt', 'C:\\Users\\ann\n'),
    ],
    good: [file('README.md', 'See https://example.org/home/ann and src/work/home/x, ~/root/x.\n')],
  },
  {
    rule: longLines,
    bad: [file('src/wire/frame.ts', `// ${'x'.repeat(138)}\n`)],
    good: [file('src/wire/frame.ts', `// ${'x'.repeat(137)}\nconst message = '${'x'.repeat(200)}'\n`)],
  },
  {
    rule: sleeps,
    bad: [
      file('src/session/session.test.ts', 'await new Promise((resolve) => setTimeout(resolve, 10))\n'),
      file('test/story.test.ts', "import { setTimeout as sleep } from 'node:timers/promises'\n"),
    ],
    good: [
      file('src/link/tcp/tcp-link.test.ts', 'setTimeout(resolve, 10)\n'),
      file('conformance/c2.test.ts', 'setTimeout(resolve, 10)\n'),
      file('src/session/session.test.ts', 'timers.setTimeoutMs(10)\n'),
    ],
  },
  {
    rule: exactVersions,
    bad: [
      file('package.json', '{ "dependencies": { "a": "^1.2.3" } }'),
      file('bench/package.json', '{ "devDependencies": { "a": "latest" } }'),
      file('package.json', '{ "optionalDependencies": { "a": "1.2" } }'),
    ],
    good: [
      file(
        'package.json',
        '{ "dependencies": { "a": "1.2.3", "b": "2.0.0-rc.1" }, "devDependencies": { "plait": "file:.." } }',
      ),
    ],
  },
  {
    rule: lockedAddresses,
    bad: [file('package-lock.json', '{\n  "resolved": "https://example.org/a.tgz"\n}\n')],
    good: [file('package-lock.json', '{\n  "version": "1.0.0",\n  "resolved": "file:.."\n}\n')],
  },
]
