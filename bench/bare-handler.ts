import fastify from 'fastify'
import { Pool } from 'pg'

// What a push is measured against: the same HTTP server and driver, one upsert of the same row with the same indexes, no rules, no log.

const pool = new Pool({ ...JSON.parse(process.argv[2] ?? '{}'), max: 10 })
await pool.query('create table if not exists bare_memberships (like memberships including indexes)')

interface Patch {
  Operations: { op: string; value: { value: string }[] }[]
}

const app = fastify()
app.addContentTypeParser('application/scim+json', { parseAs: 'string' }, (_request, body, done) =>
  done(null, JSON.parse(body as string)),
)
app.patch<{ Params: { id: string }; Body: Patch }>('/scim/v2/Groups/:id', async (request, reply) => {
  const [operation] = request.body.Operations
  await pool.query({
    name: 'upsert',
    text: `insert into bare_memberships (org_id, group_id, account_id, pushed, effective, since) values ($1, $1, $2, $3, $3, now())
      on conflict (org_id, group_id, account_id) do update set pushed = excluded.pushed, effective = excluded.effective`,
    values: [request.params.id, operation?.value[0]?.value, operation?.op === 'add'],
  })
  return reply.code(204).send()
})
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
