import { type Command, Option } from 'commander'
import { type Api, answer } from './api.ts'
import { chosenDirectory } from './directory.ts'
import { exit, Failure } from './failure.ts'
import type { Effect, Listed, Named, ReviewItem, Selected, Selection } from './shapes.ts'

export interface SelectionOptions {
  all?: true
  only?: keyof typeof presets
  directory?: string
}

const presets = {
  'no-member-change': 'no_member_change',
  'no-access-effect': 'no_access_effect',
  'takes-nothing': 'takes_nothing',
} as const

/** The arguments and options that say which groups are meant. */
export function addSelectionOptions(command: Command): Command {
  return command
    .argument('[group...]', 'names or ids of pushed groups')
    .option('-d, --directory <name>', 'the directory; not needed where there is only one')
    .option('--all', 'all groups that need review')
    .addOption(new Option('--only <set>', 'the groups of a set that the server computes').choices(Object.keys(presets)))
}

/** Which groups were meant, and what syncing them would do. */
export interface Chosen {
  directory: string
  selection: Selection
  effect: Effect
  isAll: boolean
}

/** Works out a selection on the server: named groups, a set, or all that need review.
 * @throws Failure usage, where none or several ways were used, or where it is not clear which directory is meant */
export async function chosenGroups(
  api: Api,
  groups: string[],
  { all, only, directory: named }: SelectionOptions,
): Promise<Chosen> {
  const ways = [groups.length > 0, all === true, only !== undefined].filter(Boolean).length
  if (ways !== 1)
    throw new Failure(
      exit.usage,
      ways === 0 ? 'No group is named.' : 'Groups, --all and --only exclude each other.',
      'Name groups, or use --all, or --only takes-nothing',
    )
  const directory = await chosenDirectory(api, named)
  const path = { directory }
  if (groups.length > 0) {
    const selection: Selection = { mode: 'ids', ids: groups }
    return {
      selection,
      effect: await answer<Effect>(
        api.POST('/api/v1/directories/{directory}/reviews/effect', { params: { path }, body: { selection } }),
      ),
      directory,
      isAll: false,
    }
  }
  const preset = only === undefined ? 'all' : presets[only]
  const { selection, effect } = await answer<Selected>(
    api.POST('/api/v1/directories/{directory}/reviews/selections', { params: { path }, body: { preset } }),
  )
  return { directory, selection, effect, isAll: all === true }
}

/** What a query of one group's review says of the directory. */
export const inDirectory = ({ directory }: { directory?: string }) => (directory === undefined ? {} : { directory })

/** Whether a selection means a group of its directory: names are one name however they are written. */
export function meant(selection: Selection): (group: Named) => boolean {
  if (selection.mode === 'filter') return () => true
  const named = new Set(selection.ids.map(folded))
  return ({ id, name }) => named.has(id) || named.has(folded(name))
}

// As the server folds names.
const folded = (name: string) => name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').replace(/\s+/gu, ' ').trim()

/** The names of the selected groups that the provider pushed empty over members. */
export async function pushedEmpty(api: Api, { directory, selection, effect }: Omit<Chosen, 'isAll'>): Promise<string[]> {
  if (!effect.warnings.some(({ code }) => code === 'empty')) return []
  const query = { warning: 'empty' as const, sort: 'name', limit: 0 }
  const { items } = await answer<Listed<ReviewItem>>(
    api.GET('/api/v1/directories/{directory}/reviews', { params: { path: { directory }, query } }),
  )
  const isMeant = meant(selection)
  return items.filter(({ group }) => isMeant(group)).map(({ group }) => group.name)
}
