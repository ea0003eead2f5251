import { Command } from 'commander'
import { publicUrlAt, readConfig } from '../../../server/config.ts'
import { plainly } from '../../../server/plainly.ts'
import { commonOptions, outputOf } from '../../context.ts'
import { print } from '../../views/output.ts'

export const adminLink = new Command('link')
  .description(
    'a link that signs an owner in once, made on the server’s own machine (DATABASE_URL or MUSTER_DATA): for when nothing else does',
  )
  .option('--email <email>', 'whom it signs in; who does not sign in yet becomes an owner (the owner, if there is one alone)')
  .action(({ email }: { email?: string }, command: Command) =>
    plainly(async () => {
      const { createConsoleLink } = await import('../../../server/first-link.ts')
      const { config } = readConfig()
      const out = outputOf(command)
      const { path, person, expiresAt } = await createConsoleLink(
        { ...config, org: commonOptions(command).org ?? config.org },
        email,
      )
      const url = `${config.publicUrl ?? publicUrlAt(config.host, config.port)}${path}`
      print(out, { url, person, expiresAt: expiresAt.toISOString() }, () => url)
      out.say(
        person === null
          ? 'Whoever opens it first, within 10 minutes, names the organization and owns it.'
          : `It signs ${person} in, once, within 10 minutes.`,
      )
    }),
  )
