import { Command } from 'commander'
import { type Api, answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { writePlan } from '../../plan.ts'
import { addSelectionOptions, chosenGroups, meant, type SelectionOptions } from '../../selection.ts'
import type { Listed, ReviewedGroup, ReviewItem, Selection } from '../../shapes.ts'
import { effectView } from '../../views/effect.ts'
import { print } from '../../views/output.ts'

interface Options extends SelectionOptions {
  out: string
}

export const planReview = addSelectionOptions(
  new Command('plan').description('keep a review in a file, for: muster sync --plan FILE'),
)
  .requiredOption('-o, --out <file>', 'the file')
  .action(async (groups: string[], options: Options, command: Command) => {
    const { api, out, connection } = await contextOf(command)
    const chosen = groups.length === 0 && !options.only ? { ...options, all: true as const } : options
    const { directory, choices, selection, effect, isAll } = await chosenGroups(api, groups, chosen)
    const reviewed = await reviewedGroups(api, directory, selection)
    writePlan(options.out, {
      kind: 'muster.review-plan',
      version: 1,
      server: connection.server,
      directory,
      choices,
      selection,
      isAll,
      effect,
      reviewed,
    })
    print(out, effect, effectView)
    out.say(`Kept in ${options.out}. Next: muster sync --plan ${options.out}`)
  })

// The server takes this many: with them a refusal names the groups that changed since.
const mostReviewed = 1_000

async function reviewedGroups(api: Api, directory: string, selection: Selection): Promise<ReviewedGroup[]> {
  const { items } = await answer<Listed<ReviewItem>>(
    api.GET('/api/v1/directories/{directory}/reviews', { params: { path: { directory }, query: { limit: 0 } } }),
  )
  const isMeant = meant(selection)
  return items
    .filter(({ group }) => isMeant(group))
    .slice(0, mostReviewed)
    .map(({ group, fingerprint, members: { added, removed }, access: { lost, gained } }) => ({
      group: group.id,
      fingerprint,
      name: group.name,
      members: { added, removed },
      access: { lost, gained },
    }))
}
