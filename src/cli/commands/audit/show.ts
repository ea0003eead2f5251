import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import type { AuditEntry, AuditMember, Listed } from '../../shapes.ts'
import { auditView } from '../../views/audit.ts'
import { print } from '../../views/output.ts'

export const showAudit = new Command('show')
  .description('one change, with all members that it names')
  .argument('<entry>', 'its id, as listed')
  .action(async (entry: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const found = await answer<AuditEntry>(api.GET('/api/v1/audit/{entry}', { params: { path: { entry } } }))
    const { items } = await answer<Listed<AuditMember>>(
      api.GET('/api/v1/audit/{entry}/members', { params: { path: { entry }, query: { limit: 0, sort: 'change' } } }),
    )
    print(out, { ...found, allMembers: items }, () => auditView(found, items, out))
  })
