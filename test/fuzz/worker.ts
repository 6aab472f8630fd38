import { runBatch, type BatchOrder } from './batch.ts'

// Hundreds of thousands of typed errors are made for each one whose stack is read.
Error.stackTraceLimit = 0

process.on('message', (order: BatchOrder) => {
  void runBatch(order).then((result) => process.send?.(result))
})
process.on('disconnect', () => process.exit(0))
