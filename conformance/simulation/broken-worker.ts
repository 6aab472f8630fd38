// A worker for tests of the runner: finds a violation in seed 3, dies of seed 4, never ends with seed 7.
process.on('message', (seed: number) => {
  if (seed === 4) process.exit(7)
  while (seed === 7);
  const violations = seed === 3 ? ['12.000 ms: a fragment came twice'] : []
  process.send?.({ seed, hash: 'x', violations, events: 1, delivered: 1, faults: 1, nodes: 3, virtualMs: 1, marks: [] })
})
process.on('disconnect', () => process.exit(0))
