import { existsSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { bytesEqual } from '../../src/base/bytes.ts'
import { PlaitError } from '../../src/base/error.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { systemRuntime } from '../../src/runtime/system/system-runtime.ts'
import { readCheckpoint, writeCheckpoint } from '../../src/store/checkpoint.ts'
import { lockStore } from '../../src/store/node/lock.ts'
import type { LogRecord } from '../../src/store/record.ts'
import { RecordLog } from '../../src/store/record-log.ts'
import { announcing, type Phase } from './phases.ts'

// Owns a store until it is killed: opens it, says what it finds, then appends, rotates, compacts and makes checkpoints without an end.
//
//   node owner.ts FOLDER SEED AIM [wait | ROUNDS]
//
// AIM is the phase in which it wants to be killed: from some time on it takes its time there, and says so. With `wait` it tries until
// nobody else is the owner; after so many ROUNDS it ends by itself. Up to the horizon, which is kept in a file, only every fourth record is
// needed, and long before it none.

const [folder = '', seed = '0', aim = '', waiting = ''] = process.argv.slice(2)
const random = new SeededRandom(seed)
const segmentBytes = 12 * 1024
const horizonFile = join(folder, 'horizon')
let horizon = 0
const rounds = Number(waiting) > 0 ? Number(waiting) : Number.POSITIVE_INFINITY
let acknowledged = 0
let isAiming = false

function say(line: string): void {
  writeSync(1, `${line}\n`)
}

function payloadOf(id: number): Uint8Array {
  const payload = new Uint8Array(20 + ((id * 7_919) % 900)).fill(id)
  new DataView(payload.buffer).setFloat64(0, id)
  return payload
}

function idOf({ payload }: { readonly payload: Uint8Array }): number {
  return new DataView(payload.buffer, payload.byteOffset).getFloat64(0)
}

function isNeeded(id: number): boolean {
  return id > horizon || (id % 4 === 0 && id > horizon - 1_000)
}

/** What is under way elsewhere waits, too, so that the phase that was announced last is the one that it is in. */
let pause: Promise<unknown> | undefined

async function announce(phase: Phase): Promise<void> {
  while (pause !== undefined) await pause
  say(`phase ${phase}`)
  if (phase !== aim || acknowledged === 0 || !isAiming) return
  say('aimed')
  pause = wait(random.integer(0, 6))
  await pause
  pause = undefined
}

async function open(): Promise<[RecordLog, number]> {
  const runtime = systemRuntime({ root: folder })
  const disk = announcing(runtime.disk, folder, announce)
  const startedAt = performance.now()
  // Now and then all is looked at.
  const checkpoint = random.chance(0.3) ? undefined : await readCheckpoint(disk, 'store')
  const from = checkpoint === undefined ? 0 : idOf(checkpoint)
  let last = from
  const visit = (record: LogRecord): void => {
    const id = idOf(record)
    if (!bytesEqual(record.payload, payloadOf(id)) || record.feed !== id % 7) say(`violation: ${id} is not what it was`)
    if (id <= last) say(`violation: ${id} comes behind ${last}`)
    for (let missing = last + 1; missing < id; missing += 1) {
      if (isNeeded(missing)) say(`violation: ${missing} is missing, ${id} is there`)
    }
    last = Math.max(last, id)
  }
  const { probe } = runtime
  const log = await RecordLog.open({
    disk,
    directory: 'store',
    random: runtime.random,
    probe,
    checkpoint,
    visit,
    limits: { segmentBytes },
  })
  if (log.report.rot.length > 0) say(`violation: rot ${JSON.stringify(log.report.rot)}`)
  say(`opened ${last} in ${Math.ceil(performance.now() - startedAt)} ms`)
  return [log, last]
}

async function run(): Promise<void> {
  for (;;) {
    const lockedAt = performance.now()
    try {
      await lockStore(folder)
      break
    } catch (error) {
      if (!PlaitError.is(error) || error.code !== 'STORE_IN_USE') throw error
      say(`refused ${error.code} ${error.facts['pid']} in ${Math.ceil(performance.now() - lockedAt)} ms`)
      if (waiting !== 'wait') return
      await wait(20)
    }
  }
  if (existsSync(horizonFile)) horizon = Number(readFileSync(horizonFile, 'utf8'))
  const [log, found] = await open()
  let last = found
  let compaction: Promise<unknown> = Promise.resolve()
  for (let round = 1; round <= rounds; round += 1) {
    const commits: Promise<unknown>[] = []
    for (let commit = random.integer(1, 3); commit > 0; commit -= 1) {
      for (let count = random.integer(1, 12); count > 0; count -= 1) {
        last += 1
        log.append(1, last % 7, payloadOf(last))
      }
      const id = last
      const committed = log.commit().then(() => {
        acknowledged = id
        return say(`acknowledged ${id}`)
      })
      commits.push(committed)
    }
    await Promise.all(commits)
    isAiming ||= random.chance(0.5)
    if (round % 2 === 0) {
      const payload = payloadOf(acknowledged)
      await writeCheckpoint(announcing(systemRuntime({ root: folder }).disk, folder, announce), 'store', {
        logId: log.id,
        position: log.safe,
        payload,
      })
    }
    if (round % 3 !== 0) continue
    // While the next records are appended.
    await compaction
    horizon = Math.max(horizon, acknowledged - 40)
    writeFileSync(`${horizonFile}.tmp`, String(horizon))
    renameSync(`${horizonFile}.tmp`, horizonFile)
    compaction = log.compact((record) => isNeeded(idOf(record)), { deadShare: 0.1 })
  }
  await log.close()
}

await run()
