import type { Action } from './actor.ts'

/** One step of an honest conversation: what the chair or the other end does, time, or what happens to the link. */
export type Line =
  | { readonly who: 'chair' | 'other'; readonly action: Action }
  | { readonly wait: number }
  | { readonly link: 'cut' | 'new' | 'overlap' }

const KiB = 1024

function chair(...actions: readonly Action[]): Line[] {
  return actions.map((action) => ({ who: 'chair', action }))
}

function other(...actions: readonly Action[]): Line[] {
  return actions.map((action) => ({ who: 'other', action }))
}

function both(...actions: readonly Action[]): Line[] {
  return actions.flatMap((action) => {
    const mine = (who: string): Action => ('name' in action ? { ...action, name: `${who}${action.name}` } : action)
    return [...chair(mine('c')), ...other(mine('o'))]
  })
}

const open = (name: string, service: 'read' | 'hold' | 'wait' | 'refuse' | 'shut', bytes?: number): Action =>
  bytes === undefined ? { do: 'open', name, service } : { do: 'open', name, service, bytes }
const send = (name: string, bytes: number): Action => ({ do: 'send', name, bytes })
const fail = (name: string): Action => ({ do: 'send', name, bytes: 0, error: true })
const on = (name: string, ...deeds: readonly ('accept' | 'read' | 'end' | 'close' | 'abort')[]): Action[] =>
  deeds.map((deed) => ({ do: deed, name }))

/** Honest conversations that lead through every state and say every kind of frame. */
export const conversations: Readonly<Record<string, readonly Line[]>> = {
  small: [
    ...both(open('a', 'read', 40), open('b', 'hold'), open('c', 'shut'), open('d', 'refuse', 5), open('e', 'wait', 9)),
    ...both(send('a', 100), send('b', 200), fail('a'), ...on('e', 'abort'), ...on('b', 'end')),
    { wait: 30 },
    ...both(send('a', 3_000), ...on('b', 'close'), ...on('a', 'end')),
  ],
  beats: [...both(open('a', 'read')), { wait: 3_000 }, ...both(send('a', 10))],
  goodbye: [...both(open('a', 'hold', 20)), ...other({ do: 'leave' })],
  large: [
    ...both(open('a', 'read'), open('b', 'hold')),
    ...both(send('a', 30 * KiB), send('a', 20), send('b', 12 * KiB)),
    ...both(send('b', 40 * KiB), ...on('b', 'close'), ...on('a', 'end')),
    { wait: 100 },
  ],
  crowded: [
    ...both(open('a', 'hold'), open('b', 'hold'), open('c', 'hold')),
    ...both(send('a', 40 * KiB), send('b', 40 * KiB), send('c', 30 * KiB)),
    ...both(...on('a', 'read'), ...on('b', 'read')),
    ...both(...on('c', 'abort')),
  ],
  unaccepted: [
    ...both(open('a', 'wait', 100), open('b', 'wait', 12 * KiB), open('c', 'wait')),
    ...both(send('a', 9 * KiB), ...on('c', 'end')),
    ...both(...on('a', 'close')),
    { wait: 200 },
    ...chair(...on('ob', 'accept', 'read')),
    ...other(...on('cb', 'accept', 'read')),
    { wait: 10_500 },
  ],
  halves: [
    ...both(open('a', 'hold'), open('b', 'hold'), open('c', 'read')),
    ...both(send('a', 500), ...on('a', 'end'), send('b', 500), ...on('b', 'close'), send('c', 20 * KiB)),
    ...chair(send('oa', 900), ...on('ob', 'close')),
    ...other(send('ca', 900), ...on('cb', 'read')),
    ...both(...on('c', 'close')),
  ],
  resumed: [
    ...both(open('a', 'read', 10), open('b', 'hold', 10)),
    ...both(send('a', 2_000)),
    { link: 'cut' },
    ...both(send('a', 500), send('b', 10 * KiB)),
    { link: 'new' },
    ...both(send('a', 700), ...on('a', 'close')),
  ],
  overlapped: [
    ...both(open('a', 'read', 10)),
    { wait: 40 },
    { link: 'overlap' },
    ...both(send('a', 50), ...on('a', 'end')),
  ],
  forgotten: [
    ...both(open('a', 'read', 10)),
    { link: 'cut' },
    ...chair({ do: 'forget' }),
    { link: 'new' },
    ...both(open('b', 'read', 10)),
  ],
  abandoned: [
    ...both(open('a', 'read', 10)),
    { link: 'cut' },
    ...other({ do: 'forget' }),
    { link: 'new' },
    ...both(open('b', 'read', 10)),
  ],
}
