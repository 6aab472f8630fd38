import { FolderSoak } from './folder/soak.ts'
import { soak } from './soak/program.ts'

// npm run soak:folder: see README.md.

await soak({ name: 'folder', isFlatAsked: true, run: (options) => new FolderSoak(options).run() })
