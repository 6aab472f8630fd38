import { Soak } from './groups/soak.ts'
import { installPackage } from './harness/pack.ts'
import { soak } from './soak/program.ts'

// npm run soak:groups: see README.md.

installPackage()
await soak({ name: 'groups', isFlatAsked: false, run: (options) => new Soak(options).run() })
