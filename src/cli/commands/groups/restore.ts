import { Command } from 'commander'
import { answer } from '../../api.ts'
import { confirmedBy } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import { exit, Failure } from '../../failure.ts'
import type { DeletedGroupDetail, PutBack, Restoration, RestoredGroup } from '../../shapes.ts'
import { givenWith } from '../../views/deleted-groups.ts'
import { counted } from '../../views/numbers.ts'
import { print } from '../../views/output.ts'
import { restorationView } from '../../views/restoration.ts'

interface Options {
  to?: string
  name?: string
  yes?: true
  dryRun?: true
}

export const restoreGroup = new Command('restore')
  .description('restore a deleted group as it was, or put one back to a moment; shows first what that gives and takes')
  .argument('<group>', 'name or id; of a deleted one as in muster groups deleted')
  .option('--to <moment>', 'put a group that is there back to then: a time, a day, or the id of a log entry')
  .option('--name <name>', 'another name, where its own is taken')
  .option('-y, --yes', 'do not ask')
  .option('--dry-run', 'show what it would give, change nothing')
  .action(async (group: string, options: Options, command: Command) => {
    if (options.to !== undefined) return putBack(group, options.to, options, command)
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

async function putBack(group: string, to: string, { name, yes, dryRun }: Options, command: Command): Promise<void> {
  if (name !== undefined)
    throw new Failure(exit.usage, 'A group that is put back has the name it had.', 'Leave --name away, or rename it after.')
  const { api, out } = await contextOf(command)
  const path = { group }
  const found = await answer<Restoration>(api.GET('/api/v1/groups/{group}/restore', { params: { path, query: { to } } }))
  if (dryRun) return print(out, found, restorationView)
  const { peopleLosing } = found.effect.access
  if (peopleLosing > 0)
    await confirmedBy({ typed: String(peopleLosing), shown: restorationView(found), isYes: yes === true }, out)
  const body = { to, fingerprint: found.effect.fingerprint }
  const done = await answer<PutBack>(api.POST('/api/v1/groups/{group}/restore', { params: { path }, body }))
  print(out, done, () => '')
  out.say(`Put back: ${done.name}, ${counted(done.added, 'member')} came back, ${counted(done.removed, 'member')} went.`)
}
