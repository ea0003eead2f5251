import { Command, Option } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import { inDirectory } from '../../selection.ts'
import type { Listed, ReviewMember } from '../../shapes.ts'
import { reviewMembers } from '../../views/reviews.ts'

const changes = ['changes', 'added', 'removed', 'unchanged', 'all'] as const

interface Options extends ListOptions {
  directory?: string
  change?: (typeof changes)[number]
}

export const membersOfReview = addListOptions(
  new Command('members')
    .description('who would be added to a group, removed from it, and stay')
    .argument('<group>', 'name or id of the pushed group')
    .option('-d, --directory <name>', 'the directory, where several push a group of that name')
    .addOption(new Option('--change <what>', 'only these').choices(changes)),
).action(async (group: string, options: Options, command: Command) => {
  const { api, out } = await contextOf(command)
  const query = {
    ...listQuery(options),
    ...inDirectory(options),
    ...(options.change === undefined ? {} : { change: options.change }),
  }
  const listed = await answer<Listed<ReviewMember>>(
    api.GET('/api/v1/reviews/{group}/members', { params: { path: { group }, query } }),
  )
  printList(out, listed, reviewMembers, 'Nobody.')
})
