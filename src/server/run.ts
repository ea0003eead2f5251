import type { RunningServer } from './start.ts'

/**
 * Keeps the server until SIGTERM, SIGINT or an error that nobody handled, then stops it and ends the process.
 * A second signal ends it at once.
 */
export function runUntilSignalled(server: RunningServer, say: (line: string) => void = console.log): void {
  let isStopping = false
  const end = async (exitCode: number, why: string) => {
    if (isStopping) process.exit(1)
    isStopping = true
    say(`${why}: finishing what is under way.`)
    await server.stop()
    say('Stopped.')
    process.exit(exitCode)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(0, signal))
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(event, (error: unknown) => {
      server.logError(error)
      void end(1, 'An error that nobody handled')
    })
  }
}
