import { expect, it } from 'vitest'
import { Scheduler } from '../../runtime/simulated/scheduler.ts'
import { PathRules } from './path-rules.ts'
import { FolderWatch } from './watch.ts'
import type { FolderWatcher } from './watch.ts'

class FakeWatcher implements FolderWatcher {
  readonly #listeners = new Map<string, (...args: never[]) => void>()
  isClosed = false

  on(event: string, listener: (...args: never[]) => void): this {
    this.#listeners.set(event, listener)
    return this
  }

  emit(event: string, ...args: unknown[]): void {
    this.#listeners.get(event)?.(...(args as never[]))
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}

function start(): {
  readonly scheduler: Scheduler
  readonly watcher: FakeWatcher
  readonly watch: FolderWatch
  readonly told: (readonly string[] | undefined)[]
  readonly isIgnored: (path: string) => boolean
  readonly runTo: (timeMs: number) => void
} {
  const scheduler = new Scheduler()
  const watcher = new FakeWatcher()
  const told: (readonly string[] | undefined)[] = []
  let isIgnored: (path: string) => boolean = () => false
  const watch = new FolderWatch('/folder', {
    watch: (_folder, options) => {
      isIgnored = options.ignored
      return watcher
    },
    timers: {
      after: (delayMs, fire) => scheduler.at(scheduler.now + delayMs, fire),
      endOfTurn: (run) => scheduler.endOfTurn(run),
    },
    rules: new PathRules({ patternSet: () => expect.fail('no patterns here') }),
    onChange: (paths) => told.push(paths === undefined ? undefined : [...paths]),
  })
  const runTo = (timeMs: number): void => {
    scheduler.at(timeMs, () => undefined)
    while (scheduler.now < timeMs && scheduler.step(timeMs));
  }
  return { scheduler, watcher, watch, told, isIgnored: (path) => isIgnored(path), runTo }
}

it('tells once, when it has been quiet for a while', () => {
  const { watcher, told, runTo } = start()
  watcher.emit('all', 'change', 'a')
  runTo(60)
  watcher.emit('all', 'add', 'd/b')
  runTo(150)
  expect(told).toEqual([])
  runTo(200)
  expect(told).toEqual([['a', 'd/b']])
})

it('tells at the latest after a second of noise', () => {
  const { watcher, told, runTo } = start()
  for (let timeMs = 50; timeMs <= 1_050; timeMs += 50) {
    watcher.emit('all', 'change', 'a')
    runTo(timeMs)
  }
  expect(told).toEqual([['a']])
})

it('has everything looked at after an error, after too many paths, and when it begins', () => {
  const { watcher, told, runTo } = start()
  watcher.emit('ready')
  runTo(200)
  watcher.emit('all', 'change', 'a')
  watcher.emit('error', new Error('overflow'))
  runTo(400)
  for (let count = 0; count < 2_000; count += 1) watcher.emit('all', 'add', String(count))
  runTo(600)
  watcher.emit('all', 'change', 'a')
  runTo(800)
  expect(told).toEqual([undefined, undefined, undefined, ['a']])
})

it('says nothing after it was closed, and watches nothing of plait', async () => {
  const { watcher, watch, told, isIgnored, runTo } = start()
  expect(
    ['/folder', '/folder/.plait', '/folder/.plait/tmp/1', '.plait', 'a/.plait', '/folder/a'].map(isIgnored),
  ).toEqual([false, true, true, true, false, false])
  watcher.emit('all', 'change', 'a')
  await watch.close()
  await watch.close()
  watcher.emit('all', 'change', 'a')
  runTo(2_000)
  expect([told, watcher.isClosed]).toEqual([[], true])
})
