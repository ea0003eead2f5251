import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import type { SignedHead } from '../../shapes.ts'
import { headView } from '../../views/audit.ts'
import { print } from '../../views/output.ts'

export const auditHead = new Command('head')
  .description('how far the log is sealed, signed; keep it (--json) where nobody can change it, for: muster audit verify --head')
  .action(async (_options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    print(out, await answer<SignedHead>(api.GET('/api/v1/audit/head')), headView)
  })
