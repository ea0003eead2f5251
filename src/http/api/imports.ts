import { Type } from 'typebox'
import { inTransaction } from '../../database/transaction.ts'
import { readImportFiles } from '../../organization/import-files.ts'
import { importInto } from '../../provisioning/existing-groups.ts'
import { largeBodyLimit } from '../content.ts'
import type { ApiPlugin } from './api.ts'

const csv = (columns: string) => Type.Optional(Type.String({ description: `CSV with the columns \`${columns}\`` }))
const Files = Type.Object(
  {
    users: csv('user_name,email,display_name'),
    groups: csv('group,description'),
    members: csv('group,user_name'),
    access: csv('site,product,role,group,default'),
  },
  { additionalProperties: false, minProperties: 1 },
)

const ensured = Type.Object({ created: Type.Integer(), updated: Type.Integer(), unchanged: Type.Integer() })
const Report = Type.Object({
  users: ensured,
  groups: ensured,
  members: Type.Object({ added: Type.Integer(), unchanged: Type.Integer() }),
  access: Type.Object({ added: Type.Integer(), madeDefault: Type.Integer(), unchanged: Type.Integer() }),
  durationMs: Type.Integer(),
})

const Wrong = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  errorCount: Type.Optional(Type.Integer()),
  errors: Type.Optional(
    Type.Array(Type.Object({ file: Type.String(), line: Type.Integer(), message: Type.String() }), {
      description: 'Up to 20 of them',
    }),
  ),
})

/** Imports: people, groups, members and access from CSV. */
export const importsApi: ApiPlugin = async (app, { db }) => {
  app.post(
    '/imports',
    {
      bodyLimit: largeBodyLimit,
      schema: {
        operationId: 'importFiles',
        tags: ['imports'],
        summary: 'Bring in people, groups, members and access from CSV, all or nothing',
        description: 'What exists is kept, profiles and descriptions that no directory manages are updated, nothing is removed.',
        body: Files,
        response: {
          200: Report,
          400: { description: 'A problem; nothing was imported', content: { 'application/problem+json': { schema: Wrong } } },
        },
      },
    },
    async ({ scope, body }) => {
      const started = performance.now()
      // Before the transaction: nobody waits for the reading, and it is not done again on another try.
      const rows = await readImportFiles(body)
      const report = await inTransaction(db, scope, (trx) => importInto(trx, rows))
      return { ...report, durationMs: Math.round(performance.now() - started) }
    },
  )
}
