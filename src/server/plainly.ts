import { CannotStart } from '../database/cannot-start.ts'
import { Refusal } from '../organization/refusal.ts'

/** Runs a command of the server's own machine: what keeps it from being done is said in plain lines, with exit code 1. */
export async function plainly(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof CannotStart || error instanceof Refusal)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
