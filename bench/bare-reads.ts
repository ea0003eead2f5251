import fastify from 'fastify'
import { Pool } from 'pg'

// What a read is measured against: the same HTTP server and driver, one prepared select by primary key, its row as JSON.

const { connection, orgId } = JSON.parse(process.argv[2] ?? '{}')
const pool = new Pool({ ...connection, max: 10 })

const app = fastify()
app.get<{ Params: { id: string } }>('/scim/v2/Users/:id', async (request) => {
  const { rows } = await pool.query({
    name: 'read',
    text: 'select id, external_id, user_name, active, attributes, version, created_at, updated_at from bare_users where org_id = $1 and id = $2',
    values: [orgId, request.params.id],
  })
  return rows[0]
})
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
