import type { MessageStats } from '../message/message-stats.ts'
import type { ProgramFacts, Status } from './control/control-protocol.ts'
import { printable } from './printable.ts'
import { countOf, formatBytes, formatCount, formatDuration } from './units.ts'

/** What a running program does, for people. */
export function statusLines(status: Status): readonly string[] {
  const { snapshot, stats, nodeId, work, uptimeMs, pid, version } = status
  const lines = [
    `${workText(status)}  (process ${pid}, plait ${printable(version)}, up ${formatDuration(uptimeMs)})`,
    row('node', nodeId),
  ]
  const listens = snapshot.addresses.map((address) => address.slice(address.indexOf('@') + 1))
  if (listens.length > 0) lines.push(row('listens', listens.join(', ')))
  if (work.progress !== undefined) {
    const { filesDone, filesTotal, bytesDone, bytesTotal, listed, failed } = work.progress
    const more = listed ? '' : '+'
    const files = `${formatCount(filesDone)} of ${formatCount(filesTotal)}${more} files`
    const bytes = `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}${more}`
    lines.push(row('progress', `${files}, ${bytes}${failed > 0 ? `, ${formatCount(failed)} failed` : ''}`))
  }
  if (work.feeds !== undefined)
    lines.push(row('feeds', `${countOf(work.feeds.count, 'feed')}, ${countOf(work.feeds.blocks, 'block')}`))
  if (work.groups !== undefined)
    lines.push(row('groups', `${countOf(work.groups.count, 'group')}, ${countOf(work.groups.keys, 'key')}`))
  if (work.members !== undefined) lines.push(row('members', formatCount(work.members)))
  lines.push(
    row('peers', `${sessionsText(status)}, ${countOf(stats.circuits.live, 'circuit')}`),
    row('traffic', trafficText(status)),
    row('memory', `${formatBytes(snapshot.budget.usedBytes)} of ${formatBytes(snapshot.budget.limitBytes)}`),
  )
  const messages = stats.sections['messages'] as MessageStats | undefined
  if (messages !== undefined) lines.push(row('messages', messagesText(messages)))
  return lines
}

/** The same in one line, for a list that grows. */
export function statusLine(status: Status): string {
  return `${workText(status)}: ${sessionsText(status)}, ${trafficText(status)}`
}

export function workText({ work }: ProgramFacts): string {
  return `${printable(work.role)} ${printable(work.folder)}`
}

function sessionsText({ snapshot }: Status): string {
  const counts = new Map<string, number>()
  for (const { state } of snapshot.sessions) counts.set(state, (counts.get(state) ?? 0) + 1)
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(', ')
  return countOf(snapshot.sessions.length, 'session') + (states === '' ? '' : ` (${states})`)
}

function trafficText({ stats }: Status): string {
  return `${formatBytes(stats.bytes.sent)} sent, ${formatBytes(stats.bytes.received)} received`
}

function messagesText({ postsSent, postsReceived, requestsSent, requestsReceived, streamsLive }: MessageStats): string {
  const sent = `${countOf(postsSent, 'post')} and ${countOf(requestsSent, 'request')} sent`
  const received = `${formatCount(postsReceived)} and ${formatCount(requestsReceived)} received`
  return `${sent}, ${received}, ${countOf(streamsLive, 'stream')} open`
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(8)}  ${printable(text)}`
}
