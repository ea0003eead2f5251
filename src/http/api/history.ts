import { Type } from 'typebox'
import { reading } from '../../database/transaction.ts'
import { findAccount } from '../../organization/accounts.ts'
import { groupEver } from '../../organization/past-access.ts'
import { directoryEver } from '../../provisioning/directories.ts'
import { historyOfDirectory, historyOfGroup, historyOfPerson } from '../../review/history.ts'
import type { ApiPlugin } from './api.ts'
import { Id, Nullable } from './shapes.ts'

const EntryId = Type.String({ pattern: '^\\d{1,18}$', description: 'Of the log' })
const Happening = Type.Object({
  id: Type.String({ description: 'The log entry; as a moment, it means right after it' }),
  at: Type.String({ format: 'date-time', description: 'In microseconds' }),
  actor: Type.String({ description: '`token:NAME`, `directory:NAME` or `system`; in a run who asked for it' }),
  action: Type.String(),
  text: Type.String({ description: 'What was done, in plain words' }),
  directory: Nullable(Type.String({ description: 'Whose push or setting it was' })),
  requestId: Nullable(Type.String({ description: 'The request that did it' })),
  run: Nullable(Type.Object({ id: Id, note: Nullable(Type.String()) }, { description: 'The run that did it' })),
})
const History = { 200: Type.Object({ items: Type.Array(Happening), next: Nullable(EntryId) }) }
const Query = Type.Object(
  {
    before: Type.Optional(EntryId),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 30, description: 'How many to answer' })),
  },
  { additionalProperties: false },
)
const pageOf = ({ before, limit = 30 }: { before?: string; limit?: number }) => ({ before, limit })
const description = 'They are not counted; `next` leads on, as `before`.'

/** What was done to a group, a person, a directory, by whom and why. */
export const historyApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/groups/:group/history',
    {
      schema: {
        operationId: 'listGroupHistory',
        tags: ['groups'],
        summary: 'What was done to a group, the newest first; of a deleted one too',
        description,
        params: Type.Object({ group: Type.String({ description: 'Id or name' }) }),
        querystring: Query,
        response: History,
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => historyOfGroup(reader, (await groupEver(reader, params.group)).id, pageOf(query))),
  )

  app.get(
    '/people/:person/history',
    {
      schema: {
        operationId: 'listPersonHistory',
        tags: ['people'],
        summary: 'What was done to a person, the newest first: account, memberships, what directories pushed',
        description,
        params: Type.Object({ person: Type.String({ description: 'Id, user name or e-mail' }) }),
        querystring: Query,
        response: History,
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => historyOfPerson(reader, (await findAccount(reader, params.person)).id, pageOf(query))),
  )

  app.get(
    '/directories/:directory/history',
    {
      schema: {
        operationId: 'listDirectoryHistory',
        tags: ['directories'],
        summary: 'What was done to a directory and by what it pushes, the newest first',
        description: `${description} Who came into which group is in the histories of the groups.`,
        params: Type.Object({ directory: Type.String({ description: 'Id or name' }) }),
        querystring: Query,
        response: History,
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) =>
        historyOfDirectory(reader, (await directoryEver(reader, params.directory)).id, pageOf(query)),
      ),
  )
}
