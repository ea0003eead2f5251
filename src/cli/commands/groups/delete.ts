import { Command } from 'commander'
import { answer } from '../../api.ts'
import { confirmedBy } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import type { DeletedGroupDetail, GroupDeletion } from '../../shapes.ts'
import { takenWith } from '../../views/deleted-groups.ts'
import { counted } from '../../views/numbers.ts'
import { print } from '../../views/output.ts'

interface Options {
  yes?: true
  dryRun?: true
  forGood?: true
}

export const deleteGroup = new Command('delete')
  .description('delete a group, with members and access; it can be restored for 30 days')
  .argument('<group>', 'name or id')
  .option('-y, --yes', 'do not ask')
  .option('--dry-run', 'show what it would take, change nothing')
  .option('--for-good', 'of a group that is deleted already: it can be restored no more, and a push of its name has a free name')
  .action(async (group: string, { yes, dryRun, forGood }: Options, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { group }
    if (forGood) {
      const found = await answer<DeletedGroupDetail>(api.GET('/api/v1/deleted-groups/{group}', { params: { path } }))
      const shown = `"${found.name}" could be restored until ${found.restorableUntil.slice(0, 10)}, and then can be no more.`
      if (!dryRun) await confirmedBy({ typed: found.name, shown, isYes: yes === true }, out)
      if (dryRun) return out.say(shown)
      await answer(api.DELETE('/api/v1/deleted-groups/{group}', { params: { path: { group: found.id } } }))
      return out.say('Deleted for good.')
    }
    const found = await answer<GroupDeletion>(api.GET('/api/v1/groups/{group}/deletion', { params: { path } }))
    if (dryRun) return print(out, found, (shown) => takenWith(shown))
    const { people } = found.takes.access
    if (people > 0) await confirmedBy({ typed: String(people), shown: takenWith(found), isYes: yes === true }, out)
    const query = { fingerprint: found.takes.fingerprint }
    await answer(api.DELETE('/api/v1/groups/{group}', { params: { path: { group: found.id }, query } }))
    out.say(
      `Deleted, with ${counted(found.takes.members, 'member')}. Until 30 days from now: muster groups restore "${found.name}"`,
    )
  })
