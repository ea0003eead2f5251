import { Command } from 'commander'
import { answer } from '../../api.ts'
import { confirmedBy } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import type { DeletedPerson, Listed, PersonRestoration } from '../../shapes.ts'
import { deletedPersonList, personRestorationView } from '../../views/deleted-people.ts'
import { print } from '../../views/output.ts'

export const deletedPeople = addListOptions(
  new Command('deleted').description('people whom a provider deleted, and until when they can be restored'),
).action(async (options: ListOptions, command: Command) => {
  const { api, out } = await contextOf(command)
  const listed = await answer<Listed<DeletedPerson>>(api.GET('/api/v1/deleted-people', { params: { query: listQuery(options) } }))
  printList(out, listed, deletedPersonList, 'Nobody who was deleted can be restored.')
})

export const restorePerson = new Command('restore')
  .description('restore somebody whom a provider deleted; shows first what that gives')
  .argument('<person>', 'user name or id, as in muster people deleted')
  .option('-y, --yes', 'do not ask')
  .option('--dry-run', 'show what it gives, change nothing')
  .action(async (person: string, { yes, dryRun }: { yes?: true; dryRun?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const found = await answer<PersonRestoration>(api.GET('/api/v1/deleted-people/{person}', { params: { path: { person } } }))
    if (dryRun) return print(out, found, personRestorationView)
    if (found.gains > 0)
      await confirmedBy({ typed: found.userName, shown: personRestorationView(found), isYes: yes === true }, out)
    const restored = await answer<PersonRestoration>(
      api.POST('/api/v1/deleted-people/{person}/restore', {
        params: { path: { person: found.id } },
        body: { fingerprint: found.fingerprint },
      }),
    )
    print(out, restored, () => '')
    out.say(`Restored: ${restored.userName}.`)
  })
