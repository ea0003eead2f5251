import { Type } from 'typebox'
import { reading } from '../../database/transaction.ts'
import { directoryEver } from '../../provisioning/directories.ts'
import { findRequest, listRequests, statusClasses } from '../../provisioning/request-list.ts'
import { requestSteps } from '../../provisioning/request-steps.ts'
import type { ApiPlugin } from './api.ts'
import { Id, Nullable, OneOf, Time } from './shapes.ts'

const request = {
  id: Type.String({ format: 'uuid', description: 'What the answer had as X-Request-Id' }),
  at: Time,
  method: Type.String(),
  path: Type.String({ description: 'Without its query' }),
  status: Type.Integer(),
  durationMs: Type.Integer(),
  times: Type.Integer({ description: 'So many requests in a row that were refused alike, with 401 or 429, stand for this one' }),
  userAgent: Nullable(Type.String()),
  token: Nullable(Type.Object({ id: Id, hint: Type.String({ description: 'Its last four characters' }) })),
  resource: Nullable(
    Type.Object(
      { kind: OneOf(['group', 'user']), id: Id, name: Nullable(Type.String()) },
      { description: 'The pushed group or user in the path, or that was made; without a name where it is gone' },
    ),
  ),
  asked: Nullable(Type.String({ description: 'What it asked for, in words; null where that could not be read' })),
  outcome: Type.String({ description: 'What it did, or why not' }),
}
const ListedRequest = Type.Object(request)
const RequestDetail = Type.Object({
  ...request,
  steps: Type.Array(
    Type.Object({
      what: OneOf(requestSteps),
      holds: Nullable(Type.Boolean({ description: 'false: it failed here; null: it was not reached' })),
      text: Type.String(),
    }),
  ),
})

const Params = Type.Object({ directory: Type.String({ description: 'Id or name' }) })
const Query = Type.Object(
  {
    group: Type.Optional(Type.String({ maxLength: 1_024, description: 'Id or name of a group, pushed or of the organization' })),
    person: Type.Optional(Type.String({ maxLength: 1_024, description: 'Id, user name, e-mail or external id of a person' })),
    status: Type.Optional(OneOf(statusClasses, 'failed is 400 and above')),
    method: Type.Optional(OneOf(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])),
    search: Type.Optional(
      Type.String({ maxLength: 255, description: "Part of the path, of what was asked, of the error or of the client's name" }),
    ),
    since: Type.Optional(Type.String({ format: 'date-time' })),
    until: Type.Optional(Type.String({ format: 'date-time', description: 'Before this moment' })),
    before: Type.Optional(Type.String({ format: 'uuid', description: 'Those before this request: `next` of the page before' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 30, description: 'How many to answer' })),
  },
  { additionalProperties: false },
)

/** The request log of a directory. What this node has noted and not written yet is written first: what was just sent can be seen. */
export const requestsApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/directories/:directory/requests',
    {
      schema: {
        operationId: 'listRequests',
        tags: ['directories'],
        summary: 'The SCIM requests of a directory in the last 30 days, the newest first',
        description:
          'They are not counted, as there may be millions; `next` leads on. Requests of another node appear within a second or two.',
        params: Params,
        querystring: Query,
        response: { 200: Type.Object({ items: Type.Array(ListedRequest), next: Nullable(Id) }) },
      },
    },
    async ({ scope, params, query }) => {
      await app.writeRequests()
      return reading(db, scope, async (reader) =>
        listRequests(reader, (await directoryEver(reader, params.directory)).id, { ...query, limit: query.limit ?? 30 }),
      )
    },
  )

  app.get(
    '/directories/:directory/requests/:request',
    {
      schema: {
        operationId: 'showRequest',
        tags: ['directories'],
        summary: 'What became of a SCIM request, in five steps',
        params: Type.Object({ ...Params.properties, request: Type.String() }),
        response: { 200: RequestDetail },
      },
    },
    async ({ scope, params }) => {
      await app.writeRequests()
      return reading(db, scope, async (reader) =>
        findRequest(reader, (await directoryEver(reader, params.directory)).id, params.request),
      )
    },
  )
}
