/** Something that copies a folder from one process to another. */
export interface Tool {
  readonly name: string
  /** Name and version; undefined when it is not installed. */
  version(): string | undefined
  /** Offers `folder` on loopback. `scratch` is an empty folder for what the tool keeps. */
  serve(folder: string, scratch: string): Promise<Server>
}

export interface Server {
  readonly pid: number
  /** The command that fetches the folder into `target`, which does not exist yet, with what it adds to the environment. */
  fetch(target: string): { readonly command: readonly [string, ...string[]]; readonly env: NodeJS.ProcessEnv }
  /** Ends the process and resolves when it is gone. */
  stop(): Promise<void>
}
