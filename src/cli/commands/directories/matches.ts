import { Command, Option } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import type { Listed, Match } from '../../shapes.ts'
import { matchList } from '../../views/matches.ts'
import { print } from '../../views/output.ts'

const kinds = ['matched', 'new', 'probably_same', 'doubtful', 'not_in_provider'] as const

const list = addListOptions(new Command('list').description('who the pushed people are here, by what, and who is doubtful'))
  .argument('<directory>')
  .addOption(new Option('--match <what>', 'only these').choices(kinds))
  .action(async (directory: string, options: ListOptions & { match?: (typeof kinds)[number] }, command: Command) => {
    const { api, out } = await contextOf(command)
    const query = { ...listQuery(options), ...(options.match === undefined ? {} : { match: options.match }) }
    const listed = await answer<Listed<Match>>(
      api.GET('/api/v1/directories/{directory}/matches', { params: { path: { directory }, query } }),
    )
    printList(out, listed, matchList, 'Nobody.')
  })

const link = new Command('link')
  .description('say who a pushed user is: their pushed memberships move to that person')
  .argument('<directory>')
  .argument('<user>', 'user name or SCIM id of the pushed user')
  .argument('<person>', 'id, user name or e-mail of the person here')
  .action(async (directory: string, user: string, person: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { directory, user }
    const linked = await answer<Match>(
      api.POST('/api/v1/directories/{directory}/matches/{user}/link', { params: { path }, body: { person } }),
    )
    print(out, linked, ({ user: of, person: to }) => `${of?.userName ?? user} of ${directory} is ${to.userName}.`)
  })

const separate = new Command('separate')
  .description('say that a pushed user is nobody who was here')
  .argument('<directory>')
  .argument('<user>', 'user name or SCIM id of the pushed user')
  .action(async (directory: string, user: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { directory, user }
    const alone = await answer<Match>(api.POST('/api/v1/directories/{directory}/matches/{user}/separate', { params: { path } }))
    print(out, alone, ({ user: of, person: to }) => `${of?.userName ?? user} of ${directory} is ${to.userName}, and nobody else.`)
  })

export const matches = new Command('matches')
  .description('who a directory’s people are here: {list|link|separate}')
  .addCommand(list)
  .addCommand(link)
  .addCommand(separate)
