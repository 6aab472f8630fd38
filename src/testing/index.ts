// For tests of programs that use plait: a world on virtual time, with faults, that follows from a seed. TESTING.md is the guide.
export { createWorld } from './world.ts'
export type { CrashOptions, World, WorldOptions } from './world.ts'
export type { Populate, WorldNode, WorldNodeOptions } from './world-node.ts'
export type { Host, Process } from './process.ts'
export type { PathConditions } from './path.ts'
export { scheduleFaults } from './faults.ts'
export type { FaultKind, FaultPlan } from './faults.ts'
export { runSeed, runSeeds, SeedError } from './seeds.ts'
export type { Scenario, SeedResult, SeedRun } from './seeds.ts'
export { SeededRandom } from '../runtime/simulated/random.ts'
export type { Scheduler, Scope } from '../runtime/simulated/scheduler.ts'
export type { SimulatedDisk } from '../runtime/simulated/disk.ts'

// For tests of a protocol on one circuit, without nodes.
export { joinCircuits } from './joined-circuits.ts'
export type { JoinedCircuits, JoinedCircuitsOptions } from './joined-circuits.ts'

// For those who write transports and runtimes.
export { linkSuite } from './link-suite.ts'
export type { TestRunner } from './link-suite.ts'
export type { LinkPair } from './link-cases.ts'
export type { Expect, Expectation } from './expectation.ts'
export { simulatedTransport } from './simulated-transport.ts'
export type { Network } from './network.ts'
export { simulatedRuntime } from '../runtime/simulated/simulated-runtime.ts'
export type { SimulatedRuntimeOptions } from '../runtime/simulated/simulated-runtime.ts'
export type { CountingProbe } from '../runtime/simulated/probe.ts'

// For hostile tests of the protocol itself: sessions without nodes, and a remote that says what it is told, frame by frame. What they
// show of the inside of plait may change with every version.
export { RawPeer, rawFrame } from './raw-peer.ts'
export type { RawFrame } from './raw-peer.ts'
export { SessionPair } from './session-pair.ts'
export type { SessionEnd, SessionPairOptions } from './session-pair.ts'
export { frameTypes } from '../wire/frame.ts'
