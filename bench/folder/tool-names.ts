export const us = 'plait'
/** The row that all others are compared with. */
export const limit = 'rsync'
/** What folders are compared with besides, where the machine has an SSH server. */
export const limitOverSsh = 'rsync-ssh'

/** In the order of the table. */
export const toolNames: readonly string[] = [limit, limitOverSsh, us, 'unison', 'syncthing', 'syncthing-tuned']

/** The tuned one differs in how soon it looks at a change, and in nothing else. */
export const allTools: readonly string[] = toolNames.filter((name) => name !== 'syncthing-tuned')
export const liveTools: readonly string[] = [us, 'syncthing', 'syncthing-tuned']
