import { expect, it } from 'vitest'
import { Scheduler } from '../../runtime/simulated/scheduler.ts'
import { PathRules } from './path-rules.ts'
import { FolderWatch } from './watch.ts'
import type { WatchFolder } from './watch.ts'

class FakeWatcher {
  tell: (paths: readonly string[]) => void = () => undefined
  fail: (error: unknown) => void = () => undefined
  ignored: readonly string[] = []
  isClosed = false

  readonly watch: WatchFolder = (_folder, options) => {
    Object.assign(this, options)
    return Promise.resolve({
      close: async () => {
        this.isClosed = true
      },
    })
  }
}

function start(): {
  readonly scheduler: Scheduler
  readonly watcher: FakeWatcher
  readonly watch: FolderWatch
  readonly told: (readonly string[] | undefined)[]
  readonly runTo: (timeMs: number) => void
} {
  const scheduler = new Scheduler()
  const watcher = new FakeWatcher()
  const told: (readonly string[] | undefined)[] = []
  const watch = new FolderWatch('/folder', {
    watch: watcher.watch,
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
  return { scheduler, watcher, watch, told, runTo }
}

it('tells once, when it has been quiet for a while', () => {
  const { watcher, told, runTo } = start()
  watcher.tell(['a'])
  runTo(5)
  watcher.tell(['d/b'])
  runTo(12)
  expect(told).toEqual([])
  runTo(20)
  expect(told).toEqual([['a', 'd/b']])
})

it('tells at the latest after a second of noise', () => {
  const { watcher, told, runTo } = start()
  for (let timeMs = 5; timeMs <= 1_005; timeMs += 5) {
    watcher.tell(['a'])
    runTo(timeMs)
  }
  expect(told).toEqual([['a']])
})

it('has everything looked at after an error, and after too many paths', () => {
  const { watcher, told, runTo } = start()
  watcher.tell(['a'])
  watcher.fail(new Error('overflow'))
  runTo(400)
  for (let count = 0; count < 2_000; count += 1) watcher.tell([String(count)])
  runTo(600)
  watcher.tell(['a'])
  runTo(800)
  expect(told).toEqual([undefined, undefined, ['a']])
})

it('says nothing after it was closed, and watches nothing of plait', async () => {
  const { watcher, watch, told, runTo } = start()
  expect(watcher.ignored).toEqual(['.plait'])
  watcher.tell(['.plait', '.plait/tmp/1', '.Plait/x'])
  runTo(500)
  expect(told).toEqual([])
  watcher.tell(['a'])
  await watch.close()
  await watch.close()
  watcher.tell(['a'])
  runTo(2_000)
  expect([told, watcher.isClosed]).toEqual([[], true])
})
