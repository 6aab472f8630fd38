import { installPackage } from '../bench/harness/pack.ts'

/** Before the first file: two that installed at the same time would be in each other's way. */
export function setup(): void {
  installPackage({ isBuilt: true })
}
