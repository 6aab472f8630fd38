import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../base/limits.ts'
import { Account } from './account.ts'
import { Window } from './window.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** Reads `bytesPerMs(window)` for `elapsedMs`, a frame of 16 KiB at a time; returns the window in the end. */
function read(bytesPerMs: (windowBytes: number) => number, elapsedMs: number, options: Partial<Reading> = {}): number {
  const { roundTripMs = 20, account = new Account(64 * MiB), windowBytes = 256 * KiB } = options
  const window = new Window(windowBytes, defaultLimits)
  let now = 0
  while (now < elapsedMs) {
    now += (16 * KiB) / bytesPerMs(window.windowBytes)
    if (!window.receive(16 * KiB)) throw new Error('a frame came without credit')
    if (window.consume(16 * KiB)) window.grant()
    window.tune(now, roundTripMs, account)
  }
  return window.windowBytes
}

interface Reading {
  readonly roundTripMs: number
  readonly account: Account
  readonly windowBytes: number
}

describe('a window', () => {
  it('grows to its limit where it holds the sender back', () => {
    expect(read((windowBytes) => windowBytes / 20, 2_000)).toBe(8 * MiB)
    expect(read((windowBytes) => windowBytes / 20, 2_000, { windowBytes: 16 * KiB })).toBe(8 * MiB)
  })

  it('grows no further than the link needs', () => {
    const linkBytesPerMs = 100 * KiB
    const windowBytes = read((bytes) => Math.min(bytes / 20, linkBytesPerMs), 20_000)
    expect(windowBytes).toBeGreaterThanOrEqual(20 * linkBytesPerMs)
    expect(windowBytes).toBeLessThanOrEqual(4 * MiB)
  })

  it('stays as it is where a wider one brings nothing, however long the queues make the round trip', () => {
    expect(read(() => 800 * KiB, 4_900, { roundTripMs: 5 })).toBe(2 * MiB)
    expect(read(() => 800 * KiB, 500, { roundTripMs: 0.1 })).toBe(1 * MiB)
  })

  it('does not grow while memory is tight', () => {
    const account = new Account(1 * MiB)
    account.charge(800 * KiB)
    expect(read((windowBytes) => windowBytes / 20, 2_000, { account })).toBe(256 * KiB)
  })

  it('takes what it has granted to the last byte, and not one more', () => {
    const window = new Window(16 * KiB, defaultLimits)
    expect(window.receive(16 * KiB)).toBe(true)
    expect(window.receive(1)).toBe(false)
    window.consume(10 * KiB)
    window.grant()
    expect(window.receive(10 * KiB - 1)).toBe(true)
    expect(window.receive(1)).toBe(false)
  })

  it('never takes back what it has granted', () => {
    const window = new Window(256 * KiB, defaultLimits)
    window.consume(100 * KiB)
    expect(window.grant()).toBe(356 * KiB)
    window.windowBytes = 128 * KiB
    expect(window.grant()).toBe(356 * KiB)
  })
})
