import { Command } from 'commander'
import { type Api, answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { exit } from '../../failure.ts'
import { addSelectionOptions, chosenGroups, type SelectionOptions } from '../../selection.ts'
import type { Listed, ReviewItem, Whoami } from '../../shapes.ts'
import { effectView } from '../../views/effect.ts'
import { print } from '../../views/output.ts'

export const reviewsEffect = addSelectionOptions(
  new Command('effect').description('what syncing groups together would do to access'),
)
  .option('--detailed-exitcode', 'exit 2 where something awaits review')
  .action(async (groups: string[], options: SelectionOptions & { detailedExitcode?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const chosen = groups.length === 0 && !options.only ? { ...options, all: true as const } : options
    const { directory, effect, isAll } = await chosenGroups(api, groups, chosen)
    const around = out.json
      ? {}
      : { org: await organizationName(api), ...(isAll && effect.groups > 0 ? { top: await topGroups(api, directory) } : {}) }
    print(out, effect, () => effectView(effect, out, around))
    if (out.forPeople && effect.groups > 0)
      out.say('Next: muster sync --only takes-nothing     or     muster reviews plan -o review.json')
    if (options.detailedExitcode && effect.groups > 0) process.exitCode = exit.changes
  })

/** The two groups that take most. */
export async function topGroups(api: Api, directory: string): Promise<ReviewItem[]> {
  return (
    await answer<Listed<ReviewItem>>(
      api.GET('/api/v1/directories/{directory}/reviews', { params: { path: { directory }, query: { limit: 2 } } }),
    )
  ).items
}

export const organizationName = async (api: Api): Promise<string> =>
  (await answer<Whoami>(api.GET('/api/v1/whoami'))).organization.name
