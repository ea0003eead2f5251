import { Command } from 'commander'
import { readConfig, shownConfig } from '../../server/config.ts'
import { plainly } from '../../server/plainly.ts'

export const serve = new Command('serve')
  .description('start the server, with the built-in PostgreSQL or that of DATABASE_URL')
  .option('--print-config', 'show what is in force, secrets masked, and end')
  .addHelpText(
    'after',
    `
Settings (environment):
  DATABASE_URL         PostgreSQL 16 or later; not set: the built-in one in MUSTER_DATA
  MUSTER_DATA          data folder of the built-in PostgreSQL (./data)
  HOST, PORT           where to listen (127.0.0.1, 3030)
  MUSTER_PUBLIC_URL    where people and providers reach the server (where it listens)
  LOG_LEVEL            trace, debug, info, warn, error, fatal, silent (info)
  MUSTER_SCIM_RATE     SCIM requests a second a directory may send, ten times that at once; 0: no limit (50)
  MUSTER_ORG           slug of the first organization (default)
  MUSTER_ADMIN_TOKEN   makes the first owner's API token on an empty database
Secrets can be read from files: DATABASE_URL_FILE, MUSTER_ADMIN_TOKEN_FILE.`,
  )
  .action((options: { printConfig?: true }) =>
    plainly(async () => {
      const { config, warnings } = readConfig()
      for (const warning of warnings) console.error(`Warning: ${warning}`)
      if (options.printConfig) return console.log(shownConfig(config))
      // Loaded here, so that every other command of the command line starts without a server.
      const [{ startServer }, { runUntilSignalled }] = await Promise.all([
        import('../../server/start.ts'),
        import('../../server/run.ts'),
      ])
      await runUntilSignalled(startServer(config))
    }),
  )
