import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

// The program in few files instead of hundreds: it starts in half the time. What the library exports stays as it was built.

const folder = 'dist/cli'
const bundle = await rolldown({
  input: {
    program: `${folder}/program.js`,
    'digest-worker': 'dist/drive/content/node/digest-worker.js',
    'file-thread-program': 'dist/drive/disk/file-thread-program.js',
  },
  platform: 'node',
  // Packages stay what they are: they have licences, and versions of their own.
  external: /^[^./]/,
  onLog(level, log) {
    throw new Error(`${level}: ${log.message}`)
  },
})
const options = { format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' } as const
const { output } = await bundle.write({ dir: 'dist/bundle', ...options })
await bundle.close()
// What was built file by file is not needed beside it.
for (const name of readdirSync(folder)) if (name !== 'main.js') rmSync(join(folder, name), { recursive: true })
for (const { fileName } of output) renameSync(join('dist/bundle', fileName), join(folder, fileName))
rmSync('dist/bundle', { recursive: true })
