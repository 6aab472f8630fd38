// Read first by the programs of a soak, in each of their threads: what could be collected is no growth.

const everyMs = 5_000

setInterval(() => {
  // The second one takes what the first has only let go.
  globalThis.gc?.()
  globalThis.gc?.()
}, everyMs).unref()
