import { Command } from 'commander'
import { answer } from '../../api.ts'
import { confirmedBy } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import type { DeletedGroupDetail, RestoredGroup } from '../../shapes.ts'
import { givenWith } from '../../views/deleted-groups.ts'
import { counted } from '../../views/numbers.ts'
import { print } from '../../views/output.ts'

export const restoreGroup = new Command('restore')
  .description('restore a deleted group as it was, with members and access; shows first what that gives')
  .argument('<group>', 'name or id, as in muster groups deleted')
  .option('--name <name>', 'another name, where its own is taken')
  .option('-y, --yes', 'do not ask')
  .option('--dry-run', 'show what it would give, change nothing')
  .action(async (group: string, options: { name?: string; yes?: true; dryRun?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const found = await answer<DeletedGroupDetail>(api.GET('/api/v1/deleted-groups/{group}', { params: { path: { group } } }))
    if (options.dryRun) return print(out, found, (shown) => givenWith(shown))
    const { people } = found.restores.access
    if (people > 0) await confirmedBy({ typed: String(people), shown: givenWith(found), isYes: options.yes === true }, out)
    const { name } = options
    const body = { fingerprint: found.restores.fingerprint, ...(name === undefined ? {} : { name }) }
    const restored = await answer<RestoredGroup>(
      api.POST('/api/v1/deleted-groups/{group}/restore', { params: { path: { group: found.id } }, body }),
    )
    print(out, restored, () => '')
    out.say(`Restored: ${restored.name}, ${counted(restored.memberCount, 'member')}, managed by nobody.`)
  })
