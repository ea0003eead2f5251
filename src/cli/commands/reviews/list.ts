import { Command, Option } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { chosenDirectory } from '../../directory.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import type { Listed, ReviewItem } from '../../shapes.ts'
import { reviewList } from '../../views/reviews.ts'

const states = ['needs_review', 'blocked', 'held', 'ignored', 'all'] as const
const effects = ['takes', 'gives', 'none'] as const

interface Options extends ListOptions {
  directory?: string
  state?: (typeof states)[number]
  effect?: (typeof effects)[number]
}

export const listReviews = addListOptions(
  new Command('list')
    .description('the pushed groups that need review, what takes most first')
    .option('-d, --directory <name>', 'the directory; not needed where there is only one')
    .addOption(new Option('--state <state>', 'groups in another state').choices(states))
    .addOption(new Option('--effect <effect>', 'only groups with this effect on access').choices(effects)),
).action(async (options: Options, command: Command) => {
  const { api, out } = await contextOf(command)
  const directory = await chosenDirectory(api, options.directory)
  const query = {
    ...listQuery(options),
    ...(options.state === undefined ? {} : { state: options.state }),
    ...(options.effect === undefined ? {} : { effect: options.effect }),
  }
  const listed = await answer<Listed<ReviewItem>>(
    api.GET('/api/v1/directories/{directory}/reviews', { params: { path: { directory }, query } }),
  )
  printList(out, listed, reviewList, 'No group matches.')
})
