/** How many steps run in one real turn of the event loop, to spare its system calls. */
const stepsPerTurn = 64

/**
 * Calls `step` again and again until it returns false. Between two calls every promise that could go on has gone on: Node drains
 * `process.nextTick` and the microtasks after each callback of `setImmediate`, also between those of one turn. This is how a world
 * on virtual time lets real promises run. Rejects with what `step` throws.
 */
export function stepTurns(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let running = true
    const run = (isLast: boolean): void => {
      if (!running) return
      try {
        running = step()
        if (!running) resolve()
        else if (isLast) queue()
      } catch (error) {
        running = false
        reject(error)
      }
    }
    const queue = (): void => {
      for (let index = 1; index <= stepsPerTurn; index += 1) setImmediate(run, index === stepsPerTurn)
    }
    queue()
  })
}
