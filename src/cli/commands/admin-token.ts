import { Command } from 'commander'
import { readConfig } from '../../server/config.ts'
import { plainly } from '../../server/plainly.ts'
import { commonOptions, outputOf } from '../context.ts'
import { print } from '../views/output.ts'

const create = new Command('create')
  .description(
    'an owner’s API token, made on the server’s own machine (DATABASE_URL or MUSTER_DATA), also beside the running server',
  )
  .option('--name <name>', 'what the token is called (admin and the time)')
  .action(({ name }: { name?: string }, command: Command) =>
    plainly(async () => {
      const { createOwnerToken } = await import('../../server/first-token.ts')
      const { config } = readConfig()
      const out = outputOf(command)
      const made = await createOwnerToken({ ...config, org: commonOptions(command).org ?? config.org }, name)
      print(out, { org: made.org, token: made.secret, expiresAt: made.expiresAt.toISOString() }, ({ token }) => token)
      out.say(`An owner’s token of the organization ${made.org}, shown this once. Use it: export MUSTER_TOKEN=…`)
    }),
  )

export const adminToken = new Command('admin-token').description('the first token: {create}').addCommand(create)
