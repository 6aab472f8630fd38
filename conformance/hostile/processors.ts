import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

// Those who attack have machines of their own. Here they are on the same one, and would take from the node the very time in
// which it should show that it can bear them: what they would do to it then says more of the operating system than of the node. So the
// attacked node has a processor to itself, and all others share the rest, in calm and under attack alike.

const separable = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0

/** Where the attacked node runs; undefined when this machine cannot keep it apart. */
export const nodeProcessors: string | undefined = separable ? '0' : undefined

/** Where all others run. */
export const otherProcessors: string | undefined = separable ? `1-${availableParallelism() - 1}` : undefined
