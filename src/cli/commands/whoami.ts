import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import type { Whoami } from '../shapes.ts'
import { print } from '../views/output.ts'
import { facts } from '../views/table.ts'

export const whoami = new Command('whoami')
  .description('whose token is used, where, and what it may do')
  .action(async (_options: object, command: Command) => {
    const { api, out, connection } = await contextOf(command)
    print(out, await answer<Whoami>(api.GET('/api/v1/whoami')), ({ organization, token }) =>
      facts(
        [
          ['Server', connection.server],
          ['Organization', organization.name],
          ['Token', token.name],
          ['Role', token.role],
          ['Expires', token.expiresAt],
        ],
        out,
      ),
    )
  })
