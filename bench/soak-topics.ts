import { installPackage } from './harness/pack.ts'
import { soak } from './soak/program.ts'
import { TopicsSoak } from './topics/soak.ts'

// npm run soak:topics: see README.md.

installPackage()
await soak({ name: 'topics', isFlatAsked: true, run: (options) => new TopicsSoak(options).run() })
