import { ServeReport } from '../feed/serve-report.ts'
import type { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf } from '../units.ts'
import type { GroupHost } from './group-host.ts'

/** Shares the groups of the store with their members, and says who comes and goes, until the user has it ended. */
export async function serveGroups(
  host: GroupHost,
  { terminal, json, stop }: { terminal: Terminal; json: boolean; stop: StopSignals },
): Promise<void> {
  const served = (): readonly string[] => {
    const opened = [...host.opened]
    const keys = opened.reduce((sum, { values }) => sum + values.size, 0)
    return [countOf(opened.length, 'group'), countOf(keys, 'key')]
  }
  using _report = new ServeReport(host.host, { terminal, json, served })
  if (!json) terminal.note('Ctrl-C ends it')
  await stop.stopped()
}
