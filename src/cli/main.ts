import { setGlobalProxyFromEnv } from 'node:http'
import { CommanderError } from 'commander'
import { exit, Failure } from './failure.ts'
import { environment } from './profile.ts'
import { program } from './program.ts'

// A reader that has enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? exit.done : exit.failed))
if (environment().usesProxy) setGlobalProxyFromEnv()

try {
  await program().parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** Says why a command could not be done, a line, and what to do, a line. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return reportUsage(error)
  if (error instanceof Failure) {
    console.error(`muster: ${error.message}`)
    if (error.advice !== '') console.error(error.advice)
    return error.code
  }
  console.error(`muster: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  console.error('This is a fault of Muster itself: please report it with the lines above.')
  return exit.failed
}

// Commander's own help and version are no errors; the rest is wrong usage.
function reportUsage({ exitCode, code, message }: CommanderError): number {
  if (exitCode === 0) return exit.done
  if (code === 'commander.help') return exit.usage
  const [why = message, advice = adviceFor(code)] = message.replace(/^error: /, '').split('\n')
  console.error(`muster: ${why}`)
  console.error(advice)
  return exit.usage
}

function adviceFor(code: string): string {
  const dash = code === 'commander.unknownOption' ? '. A name that begins with a dash comes last, after --' : ''
  return `See how it is used: muster --help${dash}`
}
