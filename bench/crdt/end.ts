import { metadataBytes } from './metadata.ts'
import { patternNamed } from './metadata-workload.ts'
import type { CrdtJob, CrdtMessage, CrdtResult, MetadataJob } from './job.ts'
import { runSetJob } from './set-job.ts'
import { setToolModule } from './set-tool-names.ts'
import type { CreateSetTool } from './set-tool.ts'

// A process of the bench of replicated values: does the job that its argument describes, and says what came of it.

// When the bench was ended by force, nothing of it stays.
process.on('disconnect', () => process.exit(1))

try {
  report({ result: await run(JSON.parse(process.argv[2] ?? '') as CrdtJob) })
} catch (error) {
  report({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) })
}

async function run(job: CrdtJob): Promise<CrdtResult> {
  if (job.kind === 'metadata') return runMetadataJob(job)
  const { createSetTool } = (await import(setToolModule(job.tool))) as { createSetTool: CreateSetTool }
  return runSetJob(createSetTool(), job)
}

function runMetadataJob({ pattern, members, seed }: MetadataJob): CrdtResult {
  const bytes = metadataBytes(members, patternNamed(pattern), seed)
  return {
    measures: Object.entries(bytes).map(([metric, value]) => ({ metric, unit: 'B', value })),
    version: 'source',
    settings: '',
    before: '',
    after: '',
    profile: [],
  }
}

function report(message: CrdtMessage): void {
  process.send?.(message, () => process.exit(0))
}
