import type { RunningServer } from './start.ts'

// One Ctrl-C comes twice where the parent passes on what the terminal sends to both: npm, node --watch.
const onceMs = 2_000

/**
 * Keeps a server until SIGTERM, SIGINT or an error that nobody handled, then stops it and ends the process; one that is still starting is
 * stopped once it has. A second signal, 2 s later or more, ends the process at once.
 * @returns the server, as soon as it takes requests
 */
export function runUntilSignalled(
  starting: Promise<RunningServer>,
  say: (line: string) => void = console.log,
): Promise<RunningServer> {
  let stoppingSince: number | undefined
  const end = async (exitCode: number, why: string, error?: unknown) => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > onceMs) process.exit(1)
      return
    }
    stoppingSince = performance.now()
    say(`${why}: finishing what is under way.`)
    const server = await starting.catch(() => undefined)
    if (error !== undefined) (server?.logError ?? console.error)(error)
    // Why it could not start is told by who started it.
    if (server === undefined) return
    await server.stop()
    say('Stopped.')
    process.exit(exitCode)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(0, signal))
  for (const event of ['unhandledRejection', 'uncaughtException'] as const)
    process.on(event, (error: unknown) => void end(1, 'An error that nobody handled', error))
  return starting
}
