import { type Command, Option } from 'commander'
import { type Api, answer } from './api.ts'
import { chosenDirectory } from './directory.ts'
import { exit, Failure } from './failure.ts'
import type { Choice, Choices, Effect, Listed, Named, ReviewItem, Selected, Selection } from './shapes.ts'

export interface SelectionOptions {
  all?: true
  only?: keyof typeof presets
  directory?: string
  choice?: string
  choose?: string[]
  dropKept?: true
  person?: string[]
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
    .option('--choice <choice>', `what becomes of each group: ${choiceWords}`)
    .option('--choose <group=choice...>', 'another choice for single groups, as --choose "Crew=merge"')
    .option('--drop-kept', 'members whom a merge kept go, instead')
    .option('--person <name...>', 'with --drop-kept: these people only')
}

const choices: Record<string, Choice> = {
  overwrite: 'overwrite',
  link: 'overwrite',
  merge: 'merge',
  rename: 'rename_existing',
  ignore: 'ignore',
}
const choiceWords = 'overwrite (if nothing is said), merge, link=GROUP, merge=GROUP, rename or rename=NAME, ignore'

/** What is chosen, as the API takes it. @throws Failure usage, for what is no choice */
export function choicesOf({ choice, choose = [], dropKept, person }: SelectionOptions, groups: string[]): Choices {
  if (dropKept) {
    if (choice !== undefined || choose.length > 0)
      throw new Failure(exit.usage, '--drop-kept and a choice exclude each other.', 'Leave one of the two out')
    return { kind: 'drop_kept', ...(person ? { people: person } : {}) }
  }
  if (person) throw new Failure(exit.usage, '--person goes with --drop-kept.', 'Add --drop-kept, or leave it out')
  const found: Given = { choices: {}, newNames: {}, links: {} }
  for (const one of choose) {
    const at = one.indexOf('=')
    const group = at > 0 ? one.slice(0, at) : ''
    found.choices[group] = choiceIn(one.slice(at + 1), group, found)
  }
  if (choice !== undefined) {
    const [group, ...others] = groups
    const isNamed = choice.includes('=')
    if (isNamed && (group === undefined || others.length > 0))
      throw new Failure(exit.usage, 'A name is for one group.', `Name one group, or use --choose "GROUP=${choice}"`)
    found.defaultChoice = choiceIn(choice, group ?? '*', found)
  }
  return found
}

type Given = Choices & Required<Pick<Choices, 'choices' | 'newNames' | 'links'>>

/** Reads what is chosen for a group, and takes the name that it is with: of the group that is renamed, or of the one that is linked to. */
function choiceIn(text: string, group: string, found: Given): Choice {
  const [word = '', ...rest] = text.split('=')
  const choice = group === '' ? undefined : choices[word]
  const name = rest.join('=')
  if (choice === undefined || (rest.length > 0 ? name === '' || !named.has(word) : word === 'link'))
    throw new Failure(exit.usage, `"${text}" is no choice.`, `Choose one of: ${choiceWords}`)
  if (name !== '') (choice === 'rename_existing' ? found.newNames : found.links)[group] = name
  return choice
}

const named = new Set(['link', 'merge', 'rename'])

/** Which groups were meant, and what syncing them would do. */
export interface Chosen {
  directory: string
  choices: Choices
  selection: Selection
  effect: Effect
  isAll: boolean
}

/** Works out a selection on the server: named groups, a set, or all that need review.
 * @throws Failure usage, where none or several ways were used, or where it is not clear which directory is meant */
export async function chosenGroups(api: Api, groups: string[], options: SelectionOptions): Promise<Chosen> {
  const { all, only, directory: named } = options
  const ways = [groups.length > 0, all === true, only !== undefined].filter(Boolean).length
  if (ways !== 1)
    throw new Failure(
      exit.usage,
      ways === 0 ? 'No group is named.' : 'Groups, --all and --only exclude each other.',
      'Name groups, or use --all, or --only takes-nothing',
    )
  const directory = await chosenDirectory(api, named)
  const path = { directory }
  const choices = choicesOf(options, groups)
  const effectOf = (selection: Selection) =>
    answer<Effect>(
      api.POST('/api/v1/directories/{directory}/reviews/effect', { params: { path }, body: { selection, ...choices } }),
    )
  if (groups.length > 0) {
    const selection: Selection = { mode: 'ids', ids: groups }
    return { directory, choices, selection, effect: await effectOf(selection), isAll: false }
  }
  if (only === undefined && !isPlain(choices)) {
    const selection: Selection = { mode: 'filter', filter: {} }
    return { directory, choices, selection, effect: await effectOf(selection), isAll: true }
  }
  const preset = only === undefined ? 'all' : presets[only]
  const { selection, effect } = await answer<Selected>(
    api.POST('/api/v1/directories/{directory}/reviews/selections', { params: { path }, body: { preset } }),
  )
  return { directory, choices, selection, effect: isPlain(choices) ? effect : await effectOf(selection), isAll: all === true }
}

// Everything is overwritten: what the server works out with a set.
const isPlain = ({ kind, defaultChoice = 'overwrite', choices = {} }: Choices) =>
  kind === undefined && defaultChoice === 'overwrite' && Object.keys(choices).length === 0

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

/** Whether groups that were pushed empty are accepted: empty is the extreme of incomplete, and who accepts the one accepts the other. */
export const acceptsEmpty = (options: { acceptIncomplete?: true; acceptEmpty?: true }): boolean =>
  options.acceptIncomplete === true || options.acceptEmpty === true

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
