import { defaultLimits } from '../../src/base/limits.ts'
import type { fragmentFlags } from '../../src/wire/fragment.ts'

const { subjectBytes, argCount, argKeyBytes, argValueBytes, argsBytes } = defaultLimits

/** How the fields of a fragment stand on the wire; `wire/fragment.ts` writes and reads them by hand. */
export const fragmentLayouts: Readonly<
  Record<keyof typeof fragmentFlags, { readonly layout: string; readonly bound: string }>
> = {
  op: { layout: 'zigzag', bound: 'not 0' },
  subject: { layout: 'text', bound: `not empty, at most ${subjectBytes} bytes` },
  part: { layout: 'i64', bound: 'not 0' },
  args: {
    layout: 'LEB128 count; then for each arg its name and its value, both text',
    bound: `1 to ${argCount} args; a name at most ${argKeyBytes} bytes, a value ${argValueBytes}, all of them together ${argsBytes}`,
  },
  error: { layout: 'error, as below', bound: '' },
}
