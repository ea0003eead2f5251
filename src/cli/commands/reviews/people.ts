import { Command, Option } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import { addSelectionOptions, chosenGroups, type SelectionOptions } from '../../selection.ts'
import type { Listed, PersonEffect } from '../../shapes.ts'
import { peopleList } from '../../views/people-effect.ts'

const whom = ['losing', 'gaining', 'keeping', 'left_with_none', 'joint', 'all'] as const

interface Options extends SelectionOptions, ListOptions {
  who: (typeof whom)[number]
}

export const reviewsPeople = addListOptions(
  addSelectionOptions(new Command('people').description('whom syncing groups together would take access from')),
)
  .addOption(new Option('--who <who>', 'whom to show').choices(whom).default('losing'))
  .action(async (groups: string[], options: Options, command: Command) => {
    const { api, out } = await contextOf(command)
    const { directory, selection, choices } = await chosenGroups(
      api,
      groups,
      groups.length === 0 && !options.only ? { ...options, all: true } : options,
    )
    const listed = await answer<Listed<PersonEffect>>(
      api.POST('/api/v1/directories/{directory}/reviews/effect/people', {
        params: { path: { directory } },
        body: { selection, ...choices, who: options.who, ...listQuery(options) },
      }),
    )
    printList(out, listed, peopleList, 'Nobody.')
  })
