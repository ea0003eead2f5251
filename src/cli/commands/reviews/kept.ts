import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { chosenDirectory } from '../../directory.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import { inDirectory } from '../../selection.ts'
import type { KeptMember, Listed, ReviewItem } from '../../shapes.ts'
import { keptMembers } from '../../views/kept.ts'
import { print } from '../../views/output.ts'

export const listKept = addListOptions(
  new Command('kept')
    .description('members whom a merge kept, though the provider does not have them')
    .option('-d, --directory <name>', 'the directory; not needed where there is only one')
    .option('--group <name>', 'of this pushed group only'),
).action(async (options: ListOptions & { directory?: string; group?: string }, command: Command) => {
  const { api, out } = await contextOf(command)
  const directory = await chosenDirectory(api, options.directory)
  const query = { ...listQuery(options), ...(options.group === undefined ? {} : { group: options.group }) }
  const listed = await answer<Listed<KeptMember>>(
    api.GET('/api/v1/directories/{directory}/kept', { params: { path: { directory }, query } }),
  )
  printList(out, listed, keptMembers, 'Nobody is kept.')
  if (out.forPeople && listed.total > 0)
    out.say('Next: muster reviews effect --all --drop-kept     then     muster sync --all --drop-kept')
})

export const reopenReview = new Command('reopen')
  .description('review a group again that was ignored')
  .argument('<group>', 'name or id of the pushed group')
  .option('-d, --directory <name>', 'the directory, where several push a group of that name')
  .action(async (group: string, options: { directory?: string }, command: Command) => {
    const { api, out } = await contextOf(command)
    const review = await answer<ReviewItem>(
      api.POST('/api/v1/reviews/{group}/reopen', { params: { path: { group }, query: inDirectory(options) } }),
    )
    print(
      out,
      review,
      ({ group: { name }, state }) =>
        `"${name}" ${state === 'synced' ? 'is synced.' : `is ${state.replaceAll('_', ' ')} again. Next: muster reviews show "${name}"`}`,
    )
  })
