import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { inDirectory } from '../../selection.ts'
import type { ReviewItem } from '../../shapes.ts'
import { print } from '../../views/output.ts'
import { reviewView } from '../../views/reviews.ts'

export const showReview = new Command('show')
  .description('one group’s review')
  .argument('<group>', 'name or id of the pushed group')
  .option('-d, --directory <name>', 'the directory, where several push a group of that name')
  .action(async (group: string, options: { directory?: string }, command: Command) => {
    const { api, out } = await contextOf(command)
    print(
      out,
      await answer<ReviewItem>(api.GET('/api/v1/reviews/{group}', { params: { path: { group }, query: inDirectory(options) } })),
      reviewView,
    )
  })
