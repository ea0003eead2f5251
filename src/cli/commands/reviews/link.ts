import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { inDirectory } from '../../selection.ts'
import type { LinkPreview, ReviewItem } from '../../shapes.ts'
import { linkPreview } from '../../views/names.ts'
import { print } from '../../views/output.ts'
import { reviewView } from '../../views/reviews.ts'

type OfDirectory = { directory?: string }

export const linkGroup = new Command('link')
  .description('link a pushed group to an existing one, whatever its name, for review')
  .argument('<group>', 'name or id of the pushed group')
  .requiredOption('--to <group>', 'name or id of the existing group')
  .option('--dry-run', 'show whom it would add and remove, change nothing')
  .option('-d, --directory <name>', 'the directory, where several push a group of that name')
  .action(async (group: string, options: OfDirectory & { to: string; dryRun?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const { to } = options
    const params = { path: { group }, query: inDirectory(options) }
    const path = '/api/v1/reviews/{group}/link'
    if (options.dryRun) {
      const query = { ...params.query, to }
      print(out, await answer<LinkPreview>(api.GET(path, { params: { ...params, query } })), linkPreview)
    } else print(out, await answer<ReviewItem>(api.PUT(path, { params, body: { to } })), reviewView)
  })

export const unlinkGroup = new Command('unlink')
  .description('unlink a pushed group: its group stays as it is, and the push meets the group of its own name again')
  .argument('<group>', 'name or id of the pushed group')
  .option('-d, --directory <name>', 'the directory, where several push a group of that name')
  .action(async (group: string, options: OfDirectory, command: Command) => {
    const { api, out } = await contextOf(command)
    const params = { path: { group }, query: inDirectory(options) }
    print(out, await answer<ReviewItem>(api.DELETE('/api/v1/reviews/{group}/link', { params })), reviewView)
  })
